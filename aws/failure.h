/*
 * failure.h - what kind of failure an answer of AWS is.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "aws/client.h"
#include "base/fetch.h"
#include "base/json.h"

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
bool aws_failure_may_be_clock(const char *code);
