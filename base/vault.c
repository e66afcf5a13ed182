/*
 * vault.c - see vault.h.
 */
#include "base/vault.h"

#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "base/secret.h"

struct entry {
    struct entry *next;
    char *name;
    struct str secret;
    uint64_t version;
};

static struct entry *entries; /* never freed; the mutex guards them */
static pthread_mutex_t vault_mutex = PTHREAD_MUTEX_INITIALIZER;

bool vault_is_name(const char *name)
{
    return strncmp(name, "env:", 4) == 0 || strncmp(name, "arn:", 4) == 0;
}

/* NULL: there is none. The caller holds the mutex. */
static struct entry *vault_find(const char *name)
{
    struct entry *entry = entries;

    while (entry && strcmp(entry->name, name) != 0)
        entry = entry->next;
    return entry;
}

static struct str copy(struct str secret)
{
    return (struct str){ mem_copy(secret.ptr, secret.len), secret.len };
}

void vault_put(const char *name, struct str secret)
{
    (void)pthread_mutex_lock(&vault_mutex);

    struct entry *entry = vault_find(name);

    if (!entry) {
        entry = mem_alloc(sizeof(*entry));
        entry->name = mem_copy_string(name);
        entry->next = entries;
        entries = entry;
    }
    if (entry->version == 0 || !secret_equal(entry->secret, secret)) {
        secret_free(entry->secret);
        entry->secret = copy(secret);
        entry->version++;
    }
    (void)pthread_mutex_unlock(&vault_mutex);
}

bool vault_get(const char *name, struct str *out)
{
    (void)pthread_mutex_lock(&vault_mutex);

    const struct entry *entry = vault_find(name);

    if (entry)
        *out = copy(entry->secret);
    (void)pthread_mutex_unlock(&vault_mutex);
    return entry != NULL;
}

uint64_t vault_version(const char *name)
{
    (void)pthread_mutex_lock(&vault_mutex);

    const struct entry *entry = vault_find(name);
    uint64_t version = entry ? entry->version : 0;

    (void)pthread_mutex_unlock(&vault_mutex);
    return version;
}
