/*
 * msk_token.h - tokens that authenticate a Kafka client at Amazon MSK with IAM.
 *
 * https://docs.aws.amazon.com/msk/latest/developerguide/iam-access-control.html
 * The client sends the token with SASL OAUTHBEARER. It is a presigned request of the action
 * kafka-cluster:Connect, so it needs no call of AWS other than for the credentials.
 *
 * Threads: any.
 */
#pragma once

#include <stdint.h>

#include "aws/credentials.h"
#include "aws/session.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct aws_msk_token {
    struct str text;    /* in the arena; a NUL follows */
    int64_t expires_us; /* time of day, in the future: 15 minutes, or when the credentials expire */
    uint64_t number;    /* of the credentials, for aws_msk_token_reject() */
};

struct aws_msk_options {
    const char *region;  /* of the cluster; NULL or "": the session's */
    int64_t deadline_us; /* for getting credentials, by clock_monotonic_us() */
};

/**
 * Make a token. ERR_CONFIG: there is no region, or it is invalid. ERR_UNREACHABLE: no credentials
 * in time, or they have expired; other codes: why their provider failed.
 */
NODISCARD bool aws_msk_token(struct aws_session *session, const struct aws_msk_options *options,
                             struct arena *arena, struct aws_msk_token *out, struct error *err);

/** The broker refused the token: get new credentials for the next one. */
void aws_msk_token_reject(struct aws_session *session, const struct aws_msk_token *token);

/** The text of a token that is made at the time `now_us`. In the arena. Exported for tests. */
struct str aws_msk_token_text(const struct aws_credentials *credentials, const char *region,
                              int64_t now_us, struct arena *arena);
