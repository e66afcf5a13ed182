/*
 * tls.h - TLS as this server speaks it: versions, ciphers, certificate, resumption.
 *
 * TLS 1.2 and 1.3, with forward secrecy and authenticated ciphers only. When the files of
 * certificate and key change, later connections get the new pair; existing ones keep theirs
 * (docs/decisions/021).
 *
 * Threads: create, refresh, replace and destroy belong to one thread at a time; the rest to any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "server/http/certificate.h"
#include "server/http/transport.h"

struct http_tls;

/** GnuTLS' version, as "3.7.9". */
const char *http_tls_version(void);

/** Read the files. The caller owns `*out`, which must outlive the server. ERR_CONFIG. */
NODISCARD bool http_tls_create(const char *cert_file, const char *key_file, struct http_tls **out,
                               struct error *err);

/** NULL is fine. */
void http_tls_destroy(struct http_tls *tls);

/**
 * Load the files again when one has changed and both then stayed the same for one call. A pair that
 * cannot be used changes nothing. Logs each load or failure once. Cheap: must be called about once
 * a second.
 */
void http_tls_refresh(struct http_tls *tls);

/** Can these files be used? ERR_CONFIG. */
NODISCARD bool http_tls_check(const char *cert_file, const char *key_file, struct error *err);

/** Use these files from now on. After ERR_CONFIG nothing has changed. */
NODISCARD bool http_tls_replace(struct http_tls *tls, const char *cert_file, const char *key_file,
                                struct error *err);

/** When the certificate expires, in seconds since 1970; NULL: 0. */
int64_t http_tls_expires_s(struct http_tls *tls);

/* For the loops. Sessions are those of GnuTLS, as MHD provides them. */

/** For MHD: versions and ciphers. */
const char *http_tls_priorities(void);

/** For MHD, which requires a callback that finds certificates; it is never called. */
void *http_tls_no_certificate(void);

/* A connection's part of its session. The callbacks run in the session's thread. */
struct http_tls_session {
    struct http_transport transport; /* its descriptor is set by the connection */
    /* Bytes wait for http_tls_flush(). Called once for several. */
    void (*unsent)(struct http_tls_session *session);
    /* The handshake needs more bytes. MHD does not wait for them, it would retry all the time. */
    void (*want_read)(struct http_tls_session *session);
    /* The client's part of the handshake is complete. */
    void (*finished)(struct http_tls_session *session);
    bool is_finished;
    void *session;
    const struct http_tls *tls;
    uint8_t first_byte;
    bool has_heard;    /* the client has sent something; first_byte is set */
    bool has_ended;    /* the client has ended the stream or the connection */
    bool has_alert;    /* the client has sent an alert */
    bool has_bad_name; /* GnuTLS refuses the server name that the client sent */
    bool has_hello;
    bool is_answered;  /* a ServerHello was sent */
    bool alert_begins; /* the next bytes are a plain alert's */
    uint8_t alert;
    struct http_certificate *certificate; /* NULL: no TLS */
};

/**
 * Prepare a new session for its handshake, which may take `timeout_us`. `link` has descriptor and
 * callbacks set and must not move until http_tls_end(), after the session's own end.
 */
void http_tls_begin(struct http_tls *tls, void *session, struct http_tls_session *link,
                    int64_t timeout_us);

/** Send what waits. False: the kernel does not accept all of it now. */
bool http_tls_flush(struct http_tls_session *link);

/** Send these bytes and the end of the stream. Bytes that the kernel does not accept are lost. */
void http_tls_say(void *session, struct str bytes);

/** MHD has given up the handshake whose bytes were read last in the calling thread. */
void http_tls_note_failure(void);

/**
 * Why the handshake failed; NULL: it is complete, or the client has sent nothing. `*detail` is the
 * client's alert, or NULL.
 */
const char *http_tls_failure(const struct http_tls_session *link, const char **detail);

/** Release certificate and memory; what waits is lost. A link without http_tls_begin() is fine. */
void http_tls_end(struct http_tls_session *link);
