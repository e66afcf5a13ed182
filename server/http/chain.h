/*
 * chain.h - the certificates of a file: the server's own, then its issuers'.
 *
 * Threads: a chain belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"

struct gnutls_x509_crt_int;

struct http_chain {
    struct gnutls_x509_crt_int **list; /* of GnuTLS */
    unsigned count;
};

/** Read them (PEM). The caller releases them with http_chain_done(). ERR_CONFIG names the file. */
NODISCARD bool http_chain_read(const char *file, struct http_chain *out, struct error *err);

/** For CLEANUP; a chain of zeros is fine. */
void http_chain_done(struct http_chain *chain);

/** When all of them are valid: from, and until; in seconds since 1970. */
int64_t http_chain_starts_s(const struct http_chain *chain);
int64_t http_chain_expires_s(const struct http_chain *chain);

/** Add the names and addresses of the first one, with ", " between them. */
void http_chain_names(const struct http_chain *chain, struct buf *out);

/** Is the first one for this host name or address? */
bool http_chain_is_for(const struct http_chain *chain, const char *host);

/** The number of the first certificate that the next one has not issued, from 1; 0: none. */
unsigned http_chain_break(const struct http_chain *chain);

/**
 * Do clients accept it that trust the CAs of this machine? Lifetimes and names do not count.
 * Reads the CAs, which takes a while. ERR_INVALID: no, and why not.
 */
NODISCARD bool http_chain_is_trusted(const struct http_chain *chain, struct error *err);
