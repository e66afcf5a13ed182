/*
 * secret.h - read, compare and wipe secrets; digests.
 *
 * Secrets are read from files, compared in constant time, wiped when they are freed, and never
 * logged.
 *
 * Threads: any thread may call any function.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/file_stamp.h"
#include "base/str.h"

enum {
    SECRET_DIGEST_SIZE = 32,     /* SHA-256 */
    SECRET_FILE_MAX = 64 * 1024, /* bytes that a secret file may hold */
};

/** Disable core dumps of this process, and access to its memory except for root. */
void secret_forbid_dumps(void);

/** Are they equal? The time it takes depends neither on where they differ nor on which is longer.
 */
bool secret_equal(struct str a, struct str b);

/** Overwrite the bytes; the compiler does not remove it. NULL is fine. */
void secret_wipe(void *bytes, size_t len);

/** SHA-256 (FIPS 180-4). */
void secret_digest(struct str bytes, uint8_t digest[static SECRET_DIGEST_SIZE]);

/** The same of `count` parts, one after the other. */
void secret_digest_parts(const struct str *parts, size_t count,
                         uint8_t digest[static SECRET_DIGEST_SIZE]);

/**
 * Read all of a file, or of a secret that vault.h names; a NUL follows. The caller frees it with
 * secret_free(). ERR_CONFIG when it is not there or cannot be read, is not a regular file, or has
 * more than SECRET_FILE_MAX bytes.
 */
NODISCARD bool secret_read(const char *place, struct str *out, struct error *err);

/** Differs from an earlier stamp if secret_read() may return something else than it did then. */
struct file_stamp secret_stamp(const char *place);

/**
 * The first line of what secret_read() returns, without its line end; a NUL follows. The caller
 * frees it with secret_free(). ERR_CONFIG also when it is empty.
 */
NODISCARD bool secret_read_file(const char *path, struct str *out, struct error *err);

/** Wipe and free a text of one of the functions here. An empty slice is fine. */
void secret_free(struct str secret);

/** `bytes` in Base64 (RFC 4648, section 4, with padding). The caller frees it with secret_free().
 */
struct str secret_base64(struct str bytes);

/**
 * The bytes of a text in Base64 with padding. False, and `*out` is untouched, when it is not valid.
 * The caller frees them with secret_free().
 */
NODISCARD bool secret_from_base64(struct str text, struct str *out);

/** HMAC-SHA-256 (RFC 2104) of the parts, one after the other. */
void secret_hmac(struct str key, const struct str *parts, size_t count,
                 uint8_t mac[static SECRET_DIGEST_SIZE]);
