/*
 * vault.h - secrets that are not in files, by their names: `env:NAME` (of the environment) and the
 * ARN of a secret of AWS Secrets Manager, with `#KEY` for a member of its JSON.
 *
 * The functions of secret.h that read a file of secrets take these names, too. What has put a
 * secret here keeps it up to date. The vault lives as long as the process.
 *
 * Threads: any thread may call any function.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/** Is this the name of a secret that is not in a file? */
bool vault_is_name(const char *name);

/** Keep the secret under that name, instead of an earlier one. Both are copied. */
void vault_put(const char *name, struct str secret);

/** A copy of the secret, for secret_free(). False: there is none. */
bool vault_get(const char *name, struct str *out);

/** How often the secret has changed; 0: there is none. */
uint64_t vault_version(const char *name);
