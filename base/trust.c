/*
 * trust.c - see trust.h.
 */
#include "base/trust.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>

#include "base/file_stamp.h"
#include "base/memory.h"

enum { KEPT = 8 }; /* files; a configuration seldom names more than two */

struct trusted {
    char *file;
    struct file_stamp stamp;
    X509_STORE *store; /* has a lock of its own; connections hold references */
};

static pthread_mutex_t trust_mutex = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct trusted kept[KEPT];
static size_t next; /* to be replaced */

/* Read the certificates. A certificate that is not self-signed may be trusted, too. */
static X509_STORE *load(struct trust_source source)
{
    X509_STORE *store = X509_STORE_new();

    if (store && X509_STORE_load_file(store, source.file) == 1 &&
        (!source.folder || X509_STORE_load_path(store, source.folder) == 1) &&
        X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN) == 1)
        return store;
    X509_STORE_free(store);
    ERR_clear_error(); /* the queue is the thread's, and the caller uses OpenSSL, too */
    return NULL;
}

/* The place of the file, or the one to replace. */
static struct trusted *find(const char *file)
{
    for (size_t i = 0; i < KEPT; i++)
        if (kept[i].file && strcmp(kept[i].file, file) == 0)
            return &kept[i];
    next = (next + 1) % KEPT;
    return &kept[next];
}

/* The store for the file, loaded if needed. NULL: no certificates. The mutex is held. */
static X509_STORE *get(struct trust_source source)
{
    struct trusted *place = find(source.file);
    struct file_stamp stamp = file_stamp(source.file);

    if (place->file && strcmp(place->file, source.file) == 0 &&
        file_stamp_equal(&place->stamp, &stamp))
        return place->store;

    X509_STORE *store = load(source);

    if (!store)
        return NULL;
    mem_free(place->file);
    X509_STORE_free(place->store);
    *place = (struct trusted){ mem_copy_string(source.file), stamp, store };
    return store;
}

bool trust_apply(struct ssl_ctx_st *context, struct trust_source source)
{
    (void)pthread_mutex_lock(&trust_mutex);

    X509_STORE *store = get(source);

    if (store)
        SSL_CTX_set1_cert_store(context, store); /* takes a reference */
    (void)pthread_mutex_unlock(&trust_mutex);
    return store != NULL;
}
