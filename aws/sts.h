/*
 * sts.h - temporary credentials of a role, from AWS's Security Token Service.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
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
    const char *session_name; /* "": the default, "sluice" */
    const char *external_id;  /* "": none */
    const char *duration;     /* seconds, as decimal digits; "": the default of STS */
};

/**
 * Call AssumeRole, signed with `source`. The caller owns `*out`. ERR_UNREACHABLE: STS cannot be
 * reached or refuses; the text has its error code. ERR_INVALID: the answer holds no usable
 * credentials. ERR_CONFIG: the endpoint is not a URL.
 */
NODISCARD bool aws_sts_assume_role(const struct aws_providers *providers,
                                   const struct aws_role *role,
                                   const struct aws_credentials *source,
                                   struct aws_credentials *out, struct error *err);

/**
 * Call AssumeRoleWithWebIdentity with the token in the file `token_file`. The file is read at each
 * call, because the system that provides the token replaces it. The caller owns `*out`. Errors as
 * for aws_sts_assume_role(); ERR_UNREACHABLE also when the file cannot be read.
 */
NODISCARD bool aws_sts_web_identity(const struct aws_providers *providers,
                                    const struct aws_role *role, const char *token_file,
                                    struct aws_credentials *out, struct error *err);
