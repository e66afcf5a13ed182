/*
 * failure.h - what kind of failure an answer of AWS is.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aws/client.h"
#include "base/fetch.h"
#include "base/json.h"
#include "base/str.h"

/**
 * Set `failure` to what an answer says that is no success: by the code in X-Amzn-ErrorType or in
 * `__type`, without its namespace and URI; by the HTTP status only when there is none. `json` may
 * be NULL.
 */
void aws_failure_from_answer(const struct fetch_answer *answer, struct json_object *json,
                             struct aws_failure *failure);

/** Is it worth another try? */
bool aws_failure_is_passing(enum aws_failure_kind kind);

/** Could a wrong clock be the cause of this code? */
bool aws_failure_may_be_clock(struct str code);

/**
 * Is AWS's clock, as the answer's Date has it, minutes away from ours and the `known_s` seconds
 * that it is known to be ahead? Then `*skew_s` is how far it is ahead.
 */
bool aws_failure_clock(const struct fetch_answer *answer, int64_t known_s, int64_t *skew_s);
