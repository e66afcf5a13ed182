/*
 * profile.h - the shared profile: ~/.aws/config and ~/.aws/credentials.
 *
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 * The reader accepts sections, properties, nested properties (used by `[services NAME]`), and
 * comments on lines of their own or after white space. When both files set the same property of a
 * profile, the file that was added last wins, so add the credentials file last.
 *
 * Threads: an object belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

enum aws_profile_file {
    AWS_CONFIG_FILE,      /* [default], [profile NAME], [services NAME] */
    AWS_CREDENTIALS_FILE, /* [NAME] */
};

struct aws_profiles;

/** Create an empty object. The caller owns it. It holds secrets. */
struct aws_profiles *aws_profiles_create(void);

/** Wipe all texts and free them. NULL is fine. */
void aws_profiles_destroy(struct aws_profiles *profiles);

/**
 * Read a file; a missing one counts as empty. ERR_CONFIG: it cannot be read, or has a syntax error
 * (`PATH:LINE: …`).
 */
NODISCARD bool aws_profiles_add_file(struct aws_profiles *profiles, const char *path,
                                     enum aws_profile_file kind, struct error *err);

/**
 * Like aws_profiles_add_file(), from `text`, which is copied; `where` names it in errors. At most
 * two texts: a third is ERR_CONFIG.
 */
NODISCARD bool aws_profiles_add(struct aws_profiles *profiles, struct str text,
                                enum aws_profile_file kind, const char *where, struct error *err);

/** Does a file have a section for this profile? */
bool aws_profiles_has(const struct aws_profiles *profiles, const char *name);

/** A property of a profile, for example `region`; "": not set. Lives as long as `profiles`. */
const char *aws_profiles_get(const struct aws_profiles *profiles, const char *name,
                             const char *property);

/**
 * The next value that any profile has for a property, one for each call; NULL: there are no more.
 * `*at` is 0 at the first call. Lives as long as `profiles`.
 */
const char *aws_profiles_next(const struct aws_profiles *profiles, const char *property,
                              size_t *at);

/**
 * `endpoint_url` of a service in the section `[services NAME]`, where NAME is the profile's
 * property `services`; "": not set. Lives as long as `profiles`.
 */
const char *aws_profiles_service_endpoint(const struct aws_profiles *profiles, const char *name,
                                          const char *service);
