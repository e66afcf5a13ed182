/*
 * trust.h - the CA certificates that outgoing TLS connections trust, loaded once for all of them.
 *
 * The system's bundle takes 50 ms to read and a megabyte of memory. A file is read again when it
 * has changed.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/** Where certificates are, PEM. */
struct trust_source {
    const char *file;
    const char *folder; /* named by hashes, searched for what is not in `file`; NULL: none */
};

/** Let `context` verify its peers with these certificates. False: `file` has none. */
NODISCARD bool trust_apply(struct ssl_ctx_st *context, struct trust_source source);
