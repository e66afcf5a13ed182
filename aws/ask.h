/*
 * ask.h - one request of a credential provider.
 *
 * Threads: as struct aws_providers.
 */
#pragma once

#include <stdbool.h>

#include "aws/credentials.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/fetch.h"
#include "base/json.h"

enum { AWS_ASK_MAX = 64 * 1024 }; /* bytes of an answer; real ones have two or three thousand */

/** An answer, of any status. End it with aws_answer_done(), also after a failure. */
struct aws_answer {
    struct fetch_answer http;
    struct json_object *json; /* NULL unless aws_ask_json() found JSON */
};

/** Wipe and free. */
void aws_answer_done(struct aws_answer *answer);

/** Ask. ERR_UNREACHABLE: no whole answer. */
NODISCARD bool aws_ask(const struct aws_providers *providers, const struct fetch_request *request,
                       struct aws_answer *answer, struct error *err);

/** aws_ask(), and the answer is JSON, whatever its status. */
NODISCARD bool aws_ask_json(const struct aws_providers *providers,
                            const struct fetch_request *request, struct aws_answer *answer,
                            struct error *err);

/**
 * Ask for credentials as containers and instances give them: a 200 with
 * `{AccessKeyId, SecretAccessKey, Token, Expiration}`.
 */
NODISCARD bool aws_ask_credentials(const struct aws_providers *providers,
                                   const struct fetch_request *request, struct aws_credentials *out,
                                   struct error *err);

/** The answer's body up to its first line end. */
struct str aws_answer_line(const struct aws_answer *answer);
