/*
 * ask.h - an HTTP request of a credential provider, and its answer.
 *
 * Answers hold secrets: aws_answer_done() wipes them.
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

enum { AWS_ASK_MAX = 64 * 1024 }; /* bytes of an answer; real ones have 2,000 to 3,000 */

/** An answer with any status. Call aws_answer_done() in the end, also after a failure. */
struct aws_answer {
    struct fetch_answer http;
    struct json_object *json; /* the parsed body; NULL unless aws_ask_json() succeeded */
};

/** Wipe the body and the JSON tree, then free them. */
void aws_answer_done(struct aws_answer *answer);

/** Send the request. ERR_UNREACHABLE: no complete answer. `answer` is initialised in each case. */
NODISCARD bool aws_ask(const struct aws_providers *providers, const struct fetch_request *request,
                       struct aws_answer *answer, struct error *err);

/** Like aws_ask(), but also fails with ERR_UNREACHABLE when the body is not JSON. Any status. */
NODISCARD bool aws_ask_json(const struct aws_providers *providers,
                            const struct fetch_request *request, struct aws_answer *answer,
                            struct error *err);

/**
 * Request credentials in the format of container and instance metadata endpoints: status 200 with
 * `{AccessKeyId, SecretAccessKey, Token, Expiration}`. The caller owns `*out`.
 */
NODISCARD bool aws_ask_credentials(const struct aws_providers *providers,
                                   const struct fetch_request *request, struct aws_credentials *out,
                                   struct error *err);

/** The first line of the body, without its line end. A slice of `answer`. */
struct str aws_answer_line(const struct aws_answer *answer);
