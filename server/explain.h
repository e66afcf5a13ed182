/*
 * explain.h - takes an event through the pipeline and describes each step: for `sluice explain` and
 * the admin API.
 *
 * It runs the code that answers POST /events, with an observer, so its result is the server's.
 *
 * Threads: any; the service must not end meanwhile.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "server/config/config.h"
#include "server/service.h"

struct explain_form {
    bool json;      /* one object, else lines */
    bool on_screen; /* lines with colours */
};

/** Describe what becomes of `body` in `*out`, which the caller frees. Returns the answer's status.
 */
int explain(const struct service *service, const struct config *config, struct str body,
            const struct explain_form *form, struct buf *out);
