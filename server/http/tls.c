/*
 * tls.c - see tls.h.
 *
 * MHD gives each session credentials of its own; they are replaced before the handshake begins. So
 * a connection holds a reference to the pair that it began with, and the pair is freed with the
 * last of them.
 *
 * Session tickets: GnuTLS derives a key for each period of a few hours from ours, which is replaced
 * every day, so that a leaked key opens little of the traffic recorded before.
 */
#include "server/http/tls.h"

#include <assert.h>
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/file_stamp.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"

enum { ORDERS = 3 }; /* orders of the key exchange groups */

static const int64_t tickets_us = US_PER_DAY;

/* The stamps of both files. */
struct pair_stamp {
    struct file_stamp cert;
    struct file_stamp key;
};

struct http_tls {
    char *cert_file;
    char *key_file;
    struct pair_stamp tried;  /* of the files when they were loaded last, or failed to */
    struct pair_stamp last;   /* at the last refresh */
    int64_t tickets_since_us; /* since when the ticket key is in use */
    bool has_expired;         /* which has been logged of this certificate */

    pthread_mutex_t mutex; /* for the two below */
    struct http_certificate *certificate;
    gnutls_datum_t ticket_key;

    gnutls_priority_t orders[ORDERS];
};

static struct pair_stamp stamp_of(const char *cert_file, const char *key_file)
{
    return (struct pair_stamp){ file_stamp(cert_file), file_stamp(key_file) };
}

static bool is_same(const struct pair_stamp *a, const struct pair_stamp *b)
{
    return file_stamp_equal(&a->cert, &b->cert) && file_stamp_equal(&a->key, &b->key);
}

/*
 * Not %SAFE_RENEGOTIATION: it refuses clients of TLS 1.3 only, which send no renegotiation_info. A
 * renegotiation is never accepted.
 *
 * %SERVER_PRECEDENCE selects the cheapest cipher of a client (AES-128-GCM hashes with SHA-256, for
 * which processors have instructions). It also selects the first group, even if the client has sent
 * a share of another one, at the cost of a HelloRetryRequest: one more round trip. So the order of
 * the groups depends on the shares: see choose_order().
 */
#define PRIORITIES(groups)                                                                         \
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+AEAD:+COMP-NULL"                      \
    ":+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:" groups                                        \
    ":+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-EDDSA-ED25519"               \
    ":+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384:+SIGN-RSA-PSS-RSAE-SHA512"               \
    ":+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+SIGN-RSA-SHA256:+SIGN-RSA-SHA384"                     \
    ":+SIGN-RSA-SHA512:+CTYPE-ALL:%SERVER_PRECEDENCE"

/* By their first group; the best one first. */
static const struct {
    unsigned group; /* the number in TLS */
    const char *priorities;
} orders[] = {
    { 29, PRIORITIES("+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1") },
    { 23, PRIORITIES("+GROUP-SECP256R1:+GROUP-X25519:+GROUP-SECP384R1") },
    { 24, PRIORITIES("+GROUP-SECP384R1:+GROUP-X25519:+GROUP-SECP256R1") },
};

static_assert(COUNT_OF(orders) == ORDERS, "one priority each");

const char *http_tls_priorities(void)
{
    return orders[0].priorities;
}

static bool prepare_orders(struct http_tls *tls, struct error *err)
{
    for (size_t i = 0; i < ORDERS; i++) {
        int status = gnutls_priority_init(&tls->orders[i], orders[i].priorities, NULL);

        if (status < 0)
            return fail(err, ERR_SYSTEM, "no TLS priorities (%s)", gnutls_strerror(status));
    }
    return true;
}

static void free_ticket_key(gnutls_datum_t key)
{
    if (!key.data)
        return;
    secret_wipe(key.data, key.size);
    gnutls_free(key.data);
}

static bool renew_tickets(struct http_tls *tls, struct error *err)
{
    gnutls_datum_t key = { NULL, 0 };
    int status = gnutls_session_ticket_key_generate(&key);

    if (status < 0)
        return fail(err, ERR_SYSTEM, "no key for session tickets (%s)", gnutls_strerror(status));
    (void)pthread_mutex_lock(&tls->mutex);

    gnutls_datum_t old = tls->ticket_key;

    tls->ticket_key = key;
    (void)pthread_mutex_unlock(&tls->mutex);
    free_ticket_key(old);
    tls->tickets_since_us = clock_monotonic_us();
    return true;
}

/* Once for each certificate. Called by the thread that replaces it. */
static void warn_if_expired(struct http_tls *tls)
{
    int64_t expires_s = http_certificate_expires_s(tls->certificate);

    if (tls->has_expired || expires_s > clock_now_us() / US_PER_S)
        return;
    tls->has_expired = true;
    LOG_EVENT(LOG_WARN, "tls_certificate_expired", LOG_INT("expires", expires_s));
}

static void set_certificate(struct http_tls *tls, struct http_certificate *certificate)
{
    (void)pthread_mutex_lock(&tls->mutex);

    struct http_certificate *old = tls->certificate;

    tls->certificate = certificate;
    (void)pthread_mutex_unlock(&tls->mutex);
    http_certificate_release(old);
    if (http_certificate_is_exposed(certificate))
        LOG_EVENT(LOG_WARN, "tls_key_exposed",
                  LOG_STR("reason", STR("every user of this machine may read the private key")));
    tls->has_expired = false;
    warn_if_expired(tls);
}

bool http_tls_check(const char *cert_file, const char *key_file, struct error *err)
{
    struct http_certificate *certificate = NULL;
    bool ok = http_certificate_load(cert_file, key_file, &certificate, err);

    http_certificate_release(certificate);
    return ok;
}

/* The stamps are taken before the files are read: the next refresh sees a change in between. */
bool http_tls_replace(struct http_tls *tls, const char *cert_file, const char *key_file,
                      struct error *err)
{
    struct pair_stamp now = stamp_of(cert_file, key_file);
    struct http_certificate *certificate;

    if (!http_certificate_load(cert_file, key_file, &certificate, err))
        return false;

    char *old_cert_file = tls->cert_file;
    char *old_key_file = tls->key_file;

    tls->cert_file = mem_copy_string(cert_file);
    tls->key_file = mem_copy_string(key_file);
    mem_free(old_cert_file); /* last: the new names may be the old ones */
    mem_free(old_key_file);
    tls->tried = now;
    tls->last = now;
    set_certificate(tls, certificate);
    return true;
}

const char *http_tls_version(void)
{
    return gnutls_check_version(NULL);
}

bool http_tls_create(const char *cert_file, const char *key_file, struct http_tls **out,
                     struct error *err)
{
    struct http_tls *tls = mem_alloc(sizeof(*tls));

    (void)pthread_mutex_init(&tls->mutex, NULL);
    if (!http_tls_replace(tls, cert_file, key_file, err) || !renew_tickets(tls, err) ||
        !prepare_orders(tls, err)) {
        http_tls_destroy(tls);
        return false;
    }
    *out = tls;
    return true;
}

void http_tls_destroy(struct http_tls *tls)
{
    if (!tls)
        return;
    http_certificate_release(tls->certificate);
    free_ticket_key(tls->ticket_key);
    for (size_t i = 0; i < ORDERS; i++)
        if (tls->orders[i])
            gnutls_priority_deinit(tls->orders[i]);
    mem_free(tls->cert_file);
    mem_free(tls->key_file);
    (void)pthread_mutex_destroy(&tls->mutex);
    mem_free(tls);
}

static void log_error(const char *event, const struct error *err)
{
    LOG_EVENT(LOG_WARN, event, LOG_STR("error", str_from_c(err->text)));
}

/* The two files do not change in one step, so a change waits for a refresh without another one. */
void http_tls_refresh(struct http_tls *tls)
{
    struct pair_stamp now = stamp_of(tls->cert_file, tls->key_file);
    bool at_rest = is_same(&now, &tls->last);
    struct error err;

    if (clock_monotonic_us() - tls->tickets_since_us >= tickets_us && !renew_tickets(tls, &err))
        log_error("tls_tickets_not_renewed", &err);
    tls->last = now;
    warn_if_expired(tls);
    if (!at_rest || is_same(&now, &tls->tried))
        return;
    tls->tried = now;
    if (http_tls_replace(tls, tls->cert_file, tls->key_file, &err))
        LOG_EVENT(LOG_INFO, "tls_certificate_reloaded",
                  LOG_INT("expires", http_certificate_expires_s(tls->certificate)));
    else
        log_error("tls_certificate_refused", &err);
}

int64_t http_tls_expires_s(struct http_tls *tls)
{
    if (!tls)
        return 0;
    (void)pthread_mutex_lock(&tls->mutex);

    int64_t expires_s = http_certificate_expires_s(tls->certificate);

    (void)pthread_mutex_unlock(&tls->mutex);
    return expires_s;
}

/* Sessions. */

/* NOLINTBEGIN: the parameters and their types are GnuTLS's choice */
static int never_asked(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count,
                       const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                       gnutls_pcert_st **certificate, unsigned *count, gnutls_privkey_t *key)
{
    (void)session;
    (void)issuers;
    (void)issuer_count;
    (void)algorithms;
    (void)algorithm_count;
    (void)certificate;
    (void)count;
    (void)key;
    return -1;
}
/* NOLINTEND */

void *http_tls_no_certificate(void)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): a function's address */
    return (void *)(intptr_t)never_asked;
}

/* The session of the calling thread that has read last; a failure belongs to it. */
static _Thread_local struct http_tls_session *reading;

/* A server name that GnuTLS accepts; with others it fails the handshake. */
static bool is_taken_name(const unsigned char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = (char)name[i];

        if (!char_is_alnum(c) && c != '-' && c != '.')
            return false;
    }
    return true;
}

static unsigned two_bytes(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

/* RFC 8446, 4.2.8: a list of groups with keys. The best order whose first group has a key, or 0. */
static size_t choose_order(const unsigned char *data, unsigned size)
{
    enum { LENGTH = 2, HEAD = 4 };
    size_t best = ORDERS;

    for (size_t at = LENGTH; at + HEAD <= size; at += HEAD + two_bytes(data + at + LENGTH))
        for (size_t i = 0; i < best; i++)
            if (orders[i].group == two_bytes(data + at))
                best = i;
    return best < ORDERS ? best : 0;
}

/* RFC 6066, 3: a list of kinds (0: a host) and names. */
static int on_extension(void *self, unsigned id, const unsigned char *data, unsigned size)
{
    enum { SERVER_NAME = 0, KEY_SHARE = 51, HEAD = 5 };
    struct http_tls_session *link = self;

    if (id == SERVER_NAME && size > HEAD)
        link->has_bad_name = !is_taken_name(data + HEAD, size - HEAD);
    if (id == KEY_SHARE)
        (void)gnutls_priority_set(link->session, link->tls->orders[choose_order(data, size)]);
    return 0;
}

static int on_handshake(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                        const gnutls_datum_t *message)
{
    struct http_tls_session *link = gnutls_session_get_ptr(session);

    if (!incoming) {
        link->is_answered = true;
        return 0;
    }
    if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO && when == GNUTLS_HOOK_PRE) {
        link->has_hello = true;
        (void)gnutls_ext_raw_parse(link, on_extension, message,
                                   GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
    }
    if (type == GNUTLS_HANDSHAKE_FINISHED && when == GNUTLS_HOOK_POST) {
        link->is_finished = true;
        link->transport.trusts_short_reads = false;
        link->transport.may_be_corked = true;
        link->finished(link);
    }
    return 0;
}

/*
 * OpenSSL's clients send an alert about the certificate in the clear, where GnuTLS wants it
 * encrypted. It reads a record in two steps: a head of five bytes, then the rest.
 */
static void note_plain_alert(struct http_tls_session *link, const uint8_t *bytes, ssize_t count)
{
    enum { ALERT_RECORD = 21, HEAD = 5, ALERT = 2 };

    if (link->alert_begins && count == ALERT) {
        link->has_alert = true;
        link->alert = bytes[1];
    }
    link->alert_begins = count == HEAD && bytes[0] == ALERT_RECORD && bytes[HEAD - 1] == ALERT;
}

static void note_read(struct http_tls_session *link, const void *bytes, ssize_t count)
{
    reading = link;
    if (count > 0)
        note_plain_alert(link, bytes, count);
    if (count > 0 && !link->has_heard) {
        link->has_heard = true;
        link->first_byte = *(const uint8_t *)bytes;
    }
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
        link->has_ended = true;
}

/*
 * A client that refuses the certificate may send its alert and close while GnuTLS is still writing:
 * the write fails, and the alert is never read. Look for it in what has arrived.
 */
static void find_unread_alert(struct http_tls_session *link)
{
    enum { ALERT_RECORD = 21, HEAD = 5, ALERT = 2, LENGTH = 3 };
    uint8_t bytes[64];
    size_t ahead = http_transport_peek(&link->transport, bytes, sizeof(bytes));
    ssize_t count =
        recv(link->transport.fd, bytes + ahead, sizeof(bytes) - ahead, MSG_DONTWAIT | MSG_PEEK);

    count = (ssize_t)ahead + (count > 0 ? count : 0);
    for (ssize_t at = 0; at + HEAD + ALERT <= count;) {
        unsigned length = two_bytes(bytes + at + LENGTH);

        if (bytes[at] == ALERT_RECORD && length == ALERT) {
            link->has_alert = true;
            link->alert = bytes[at + HEAD + 1];
        }
        at += HEAD + (ssize_t)length;
    }
}

void http_tls_note_failure(void)
{
    struct http_tls_session *link = reading;
    uint8_t alert;

    if (!link)
        return;
    (void)http_tls_flush(link); /* MHD shuts the socket down next */
    alert = (uint8_t)gnutls_alert_get(link->session);
    if (!alert && !link->has_alert)
        find_unread_alert(link);
    if (!alert) /* no alert, or close_notify */
        return;
    link->alert = alert;
    link->has_alert = true;
}

const char *http_tls_failure(const struct http_tls_session *link, const char **detail)
{
    enum { HANDSHAKE_RECORD = 22 };

    *detail = NULL;
    if (link->is_finished || !link->has_heard)
        return NULL;
    if (link->first_byte != HANDSHAKE_RECORD)
        return "not_tls";
    if (link->has_bad_name)
        return "server_name";
    if (link->has_alert) {
        *detail = gnutls_alert_get_name((gnutls_alert_description_t)link->alert);
        return "alert";
    }
    if (link->has_ended)
        return "closed";
    return link->has_hello && !link->is_answered ? "unsupported" : "malformed";
}

bool http_tls_flush(struct http_tls_session *link)
{
    return http_transport_flush(&link->transport);
}

/* The peer may wait for what was written before it sends more. */
static ssize_t pull_bytes(gnutls_transport_ptr_t self, void *bytes, size_t size)
{
    struct http_tls_session *link = self;
    ssize_t count = http_transport_read(&link->transport, bytes, size);

    if (link->is_finished)
        return count;
    note_read(link, bytes, count);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        (void)http_tls_flush(link);
        link->want_read(link);
        errno = EAGAIN; /* the callback may have changed it; GnuTLS reads it */
    }
    return count;
}

static ssize_t push_bytes(gnutls_transport_ptr_t self, const giovec_t *parts, int count)
{
    struct http_tls_session *link = self;
    bool was_waiting = http_transport_is_waiting(&link->transport);
    ssize_t len = http_transport_write(&link->transport, parts, count);

    if (!was_waiting && http_transport_is_waiting(&link->transport)) {
        int error = errno;

        link->unsent(link);
        errno = error;
    }
    return len;
}

/* Without memory a session has no tickets. */
void http_tls_begin(struct http_tls *tls, void *session, struct http_tls_session *link,
                    int64_t timeout_us)
{
    (void)pthread_mutex_lock(&tls->mutex);
    link->certificate = http_certificate_acquire(tls->certificate);
    (void)gnutls_session_ticket_enable_server(session, &tls->ticket_key); /* copies the key */
    (void)pthread_mutex_unlock(&tls->mutex);
    http_certificate_use(link->certificate, session);
    gnutls_session_set_ptr(session, link);
    gnutls_transport_set_ptr2(session, link, link);
    gnutls_transport_set_pull_function(session, pull_bytes);
    gnutls_transport_set_vec_push_function(session, push_bytes);
    gnutls_handshake_set_timeout(session, (unsigned)(timeout_us / US_PER_MS));
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH,
                                       on_handshake);
    link->session = session;
    link->tls = tls;
    link->transport.trusts_short_reads = true; /* until the handshake is complete */
}

void http_tls_say(void *session, struct str bytes)
{
    (void)gnutls_record_send(session, bytes.ptr, bytes.len);
    (void)gnutls_bye(session, GNUTLS_SHUT_WR);
    (void)http_tls_flush(gnutls_session_get_ptr(session));
}

void http_tls_end(struct http_tls_session *link)
{
    http_transport_done(&link->transport);
    http_certificate_release(link->certificate);
    link->certificate = NULL;
    if (reading == link)
        reading = NULL;
}
