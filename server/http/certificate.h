/*
 * certificate.h - a certificate chain with its private key, as TLS connections use it.
 *
 * It is shared: each connection keeps the certificate that it began with until it ends. Later
 * connections may get another one.
 *
 * Threads: immutable; acquired and released from any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct http_certificate;

/**
 * Read both files (PEM; the server's own certificate first, then the issuers'). The caller owns the
 * first reference. ERR_CONFIG: a file, named in the text, cannot be read or used, or the key is not
 * that of the certificate.
 */
NODISCARD bool http_certificate_load(const char *cert_file, const char *key_file,
                                     struct http_certificate **out, struct error *err);

/** Take a reference, and give one back. http_certificate_release() accepts NULL. */
struct http_certificate *http_certificate_acquire(struct http_certificate *certificate);
void http_certificate_release(struct http_certificate *certificate);

/** Use it for `session`, a new one of GnuTLS. The caller holds a reference until its end. */
void http_certificate_use(const struct http_certificate *certificate, void *session);

/**
 * When all certificates of the chain are valid: from, and until; in seconds since 1970.
 */
int64_t http_certificate_starts_s(const struct http_certificate *certificate);
int64_t http_certificate_expires_s(const struct http_certificate *certificate);

/** Can users other than owner and group read or write the key's file? */
bool http_certificate_is_exposed(const struct http_certificate *certificate);
