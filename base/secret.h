/*
 * secret.h - comparing, wiping and making secrets; digests.
 *
 * Secrets are compared in constant time, wiped when they die, read from files and never logged.
 * Threads: all functions may be called from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

enum {
    SECRET_DIGEST_SIZE = 32,     /* SHA-256 */
    SECRET_FILE_MAX = 64 * 1024, /* bytes that a secret file may hold */
};

/** From now on this process leaves no core dump, and only root can look into its memory. */
void secret_forbid_dumps(void);

/** Are the two the same? The time taken tells neither where they differ nor their lengths. */
bool secret_equal(struct str a, struct str b);

/** Overwrite in a way that the compiler keeps. */
void secret_wipe(void *bytes, size_t len);

/** SHA-256 (FIPS 180-4). */
void secret_digest(struct str bytes, uint8_t digest[static SECRET_DIGEST_SIZE]);

/**
 * The first line of a file, without its line end; a NUL follows. The caller owns it, to be ended
 * with secret_free(). ERR_CONFIG when it cannot be read, is no regular file, empty or too long.
 */
NODISCARD bool secret_read_file(const char *path, struct str *out, struct error *err);

/** Wipe and free what secret_read_file() or secret_base64() gave. An empty slice is fine. */
void secret_free(struct str secret);

/** Base64 of `bytes` (RFC 4648, padded), owned by the caller, to be ended with secret_free(). */
struct str secret_base64(struct str bytes);
