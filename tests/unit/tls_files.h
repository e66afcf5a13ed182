/*
 * tls_files.h - certificates and private keys for tests, made at run time.
 */
#pragma once

#include <stdint.h>

#include "tests/unit/folder.h"

enum { TLS_FILES_DAY = 24 * 3600 };

/**
 * Write NAME.crt and NAME.key: a new ECDSA key and a self-signed certificate for `localhost` that
 * expires in `lifetime_s` seconds (negative: it has expired).
 */
void tls_files_write(const struct folder *folder, const char *name, int64_t lifetime_s);

/** The same for a day, with a key of this kind. */
enum tls_files_key { TLS_FILES_P256, TLS_FILES_P384, TLS_FILES_RSA2048, TLS_FILES_ED25519 };

void tls_files_write_kind(const struct folder *folder, const char *name, enum tls_files_key kind);

struct tls_files {
    char cert[FOLDER_PATH_SIZE];
    char key[FOLDER_PATH_SIZE];
};

/** The paths of NAME.crt and NAME.key. */
struct tls_files tls_files_paths(const struct folder *folder, const char *name);
