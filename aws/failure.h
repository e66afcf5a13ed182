/*
 * failure.h - classify the error answers of AWS services.
 *
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 *
 * Threads: any; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aws/client.h"
#include "base/fetch.h"
#include "base/json.h"
#include "base/str.h"

/**
 * Set `*failure` from an answer whose status is not 2xx. The error code comes from the header
 * X-Amzn-ErrorType, or from the member `__type` or `code` of a JSON body, or from the element
 * `Code` of an XML body, without namespace and URI. The HTTP status decides only when the code is
 * missing or unknown. `json` is the parsed body or NULL.
 */
void aws_failure_from_answer(const struct fetch_answer *answer, struct json_object *json,
                             struct aws_failure *failure);

/** Is it temporary, so that a retry may succeed? */
bool aws_failure_is_passing(enum aws_failure_kind kind);

/** Can a wrong clock cause this error code? */
bool aws_failure_may_be_clock(struct str code);

/**
 * Compare the answer's Date with the local clock plus `known_s`, the seconds by which AWS's clock
 * is known to be ahead. True: they differ by four minutes or more, and `*skew_s` is the number of
 * seconds by which AWS's clock is ahead of the local one.
 */
bool aws_failure_clock(const struct fetch_answer *answer, int64_t known_s, int64_t *skew_s);
