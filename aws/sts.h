/*
 * sts.h - credentials of a role, from AWS's Security Token Service.
 *
 * Threads: as struct aws_providers.
 */
#pragma once

#include <stdbool.h>

#include "aws/credentials.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct aws_role {
    const char *arn;
    const char *session_name; /* "": one of ours */
    const char *external_id;  /* "": none */
    const char *duration;     /* seconds, in words; "": the role's own */
};

/** AssumeRole, signed with `source`. ERR_UNREACHABLE says what STS says. */
NODISCARD bool aws_sts_assume_role(const struct aws_providers *providers,
                                   const struct aws_role *role,
                                   const struct aws_credentials *source,
                                   struct aws_credentials *out, struct error *err);

/**
 * AssumeRoleWithWebIdentity with the token in the file `token_file`, which is read anew each time
 * because whoever put it there replaces it.
 */
NODISCARD bool aws_sts_web_identity(const struct aws_providers *providers,
                                    const struct aws_role *role, const char *token_file,
                                    struct aws_credentials *out, struct error *err);
