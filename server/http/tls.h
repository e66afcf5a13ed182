/*
 * tls.h - TLS as this server speaks it: versions, ciphers, certificate, resumption.
 *
 * TLS 1.2 and 1.3, with forward secrecy and authenticated ciphers only. When the files of
 * certificate and key change, connections that begin later get the new pair; the others keep
 * theirs (docs/decisions/021).
 *
 * Threads: create, refresh, replace and destroy belong to one thread at a time; the rest to any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "server/http/certificate.h"

struct http_tls;

/** Read the files. The caller owns `*out`, which must outlive the server. ERR_CONFIG. */
NODISCARD bool http_tls_create(const char *cert_file, const char *key_file, struct http_tls **out,
                               struct error *err);

/** NULL is fine. */
void http_tls_destroy(struct http_tls *tls);

/**
 * Look at the files, and take a new pair over once they have changed and come to rest. A pair that
 * cannot be used changes nothing. The log tells of both, once for each change. Cheap: to be
 * called about once a second, also between the two looks that it takes.
 */
void http_tls_refresh(struct http_tls *tls);

/** From now on use these files. ERR_CONFIG: nothing has changed. */
NODISCARD bool http_tls_replace(struct http_tls *tls, const char *cert_file, const char *key_file,
                                struct error *err);

/** When the certificate expires, in seconds since 1970; NULL: 0. */
int64_t http_tls_expires_s(struct http_tls *tls);

/* For the loops. Sessions are GnuTLS's, as the HTTP library hands them out. */

/** For the library: which versions and ciphers. */
const char *http_tls_priorities(void);

/** For the library, which wants something to find certificates with, and is never asked for one. */
void *http_tls_no_certificate(void);

/* What a connection keeps of its session. The callbacks come in the session's thread. */
struct http_tls_session {
    int fd;
    /* The handshake needs more bytes than have come. The library does not wait for them: it would
     * try again and again. */
    void (*want_read)(struct http_tls_session *session);
    /* The client's part of the handshake is done. */
    void (*finished)(struct http_tls_session *session);
    bool is_finished;
    void *session;
    const struct http_tls *tls;
    uint8_t first_byte;
    bool has_heard;    /* of the client at all; first_byte is set */
    bool has_ended;    /* the client's stream, or its connection */
    bool has_alert;    /* of the client */
    bool has_bad_name; /* GnuTLS does not take the name that the client asks for */
    bool has_hello;
    bool is_answered;  /* a ServerHello was sent */
    bool alert_begins; /* the next bytes are a plain alert's */
    uint8_t alert;
    struct http_certificate *certificate; /* NULL: no TLS */
};

/**
 * Make a new session ready for its handshake, which may take `timeout_us`. `link` has descriptor
 * and callbacks set and stays where it is until http_tls_end(), after the session's own end.
 */
void http_tls_begin(struct http_tls *tls, void *session, struct http_tls_session *link,
                    int64_t timeout_us);

/** Send these bytes, and that no more will come. What the client does not take at once is lost. */
void http_tls_say(void *session, struct str bytes);

/** The library gives up on the handshake whose bytes it has just read, in the calling thread. */
void http_tls_note_failure(void);

/**
 * Why the handshake did not come to its end; NULL: it did, or the client has said nothing. `detail`
 * becomes the client's alert, or NULL.
 */
const char *http_tls_failure(const struct http_tls_session *link, const char **detail);

/** A link that never began is fine. */
void http_tls_end(struct http_tls_session *link);
