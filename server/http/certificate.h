/*
 * certificate.h - a certificate chain with its private key, as TLS connections use it.
 *
 * It is shared: each connection holds the one that it began with until it ends, so that another
 * one can take its place for those that come later.
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
 * Read both files (PEM; the server's own certificate first, then the issuers'). The caller has the
 * first reference. ERR_CONFIG, naming the file, when one cannot be read or used, or when the two
 * do not belong together.
 */
NODISCARD bool http_certificate_load(const char *cert_file, const char *key_file,
                                     struct http_certificate **out, struct error *err);

/** One more reference, and the end of one. NULL is fine for the latter. */
struct http_certificate *http_certificate_acquire(struct http_certificate *certificate);
void http_certificate_release(struct http_certificate *certificate);

/** Give it to `session` (GnuTLS's, a new one), for which the caller holds a reference. */
void http_certificate_use(const struct http_certificate *certificate, void *session);

/**
 * When the last certificate of the chain becomes valid and the first one expires, in seconds since
 * 1970.
 */
int64_t http_certificate_starts_s(const struct http_certificate *certificate);
int64_t http_certificate_expires_s(const struct http_certificate *certificate);

/** May users other than the owner and the group of the key's file read it? */
bool http_certificate_is_exposed(const struct http_certificate *certificate);
