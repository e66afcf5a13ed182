/*
 * tls_files.h - certificates and private keys for tests, made on the spot.
 */
#pragma once

#include <stdint.h>

#include "tests/unit/folder.h"

enum { TLS_FILES_DAY = 24 * 3600 };

/**
 * Write NAME.crt, self-signed for `localhost` by a new ECDSA key and good until `lifetime_s` from
 * now (negative: it has expired), and NAME.key.
 */
void tls_files_write(const struct folder *folder, const char *name, int64_t lifetime_s);

/** Their paths. */
struct tls_files {
    char cert[FOLDER_PATH_SIZE];
    char key[FOLDER_PATH_SIZE];
};

struct tls_files tls_files_paths(const struct folder *folder, const char *name);
