/*
 * profile.h - the shared profile: ~/.aws/config and ~/.aws/credentials.
 *
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html. Sections and properties, the
 * nested ones of `[services NAME]` too; comments on lines of their own and behind white space.
 * Where a profile has the same property in both files, the one that was added last counts, so add
 * the credentials file last. Secrets are in here: they are wiped in the end.
 *
 * Threads: one at a time.
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

/** None yet. The caller owns it. */
struct aws_profiles *aws_profiles_create(void);

/** Wipe and free. NULL is fine. */
void aws_profiles_destroy(struct aws_profiles *profiles);

/** Add what the file says; no file there is nothing said. ERR_CONFIG: `PATH:LINE: …`. */
NODISCARD bool aws_profiles_add_file(struct aws_profiles *profiles, const char *path,
                                     enum aws_profile_file kind, struct error *err);

/** The same from a text; `where` names it in errors. */
NODISCARD bool aws_profiles_add(struct aws_profiles *profiles, struct str text,
                                enum aws_profile_file kind, const char *where, struct error *err);

/** Does either file have this profile? */
bool aws_profiles_has(const struct aws_profiles *profiles, const char *name);

/** A property of a profile (`region`), "" when it is not there or empty. Lives as long as these. */
const char *aws_profiles_get(const struct aws_profiles *profiles, const char *name,
                             const char *property);

/** `endpoint_url` for a service in the `[services …]` section that the profile names, or "". */
const char *aws_profiles_service_endpoint(const struct aws_profiles *profiles, const char *name,
                                          const char *service);
