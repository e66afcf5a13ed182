/*
 * fetch.h - one HTTP request to somebody else, and its answer.
 *
 * Threads: fetch_init() once, before other threads; then any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"

/** Prepare the library. ERR_SYSTEM when it will not start. */
NODISCARD bool fetch_init(struct error *err);

struct fetch_answer {
    int status;      /* the HTTP status */
    struct buf body; /* the caller's, to be ended with buf_done(); its max is set by the caller */
};

/**
 * GET `url` within `timeout_us`, never through a proxy, without following redirects. An answer of
 * any status is a success. ERR_REGISTRY_UNREACHABLE: no whole answer, or a body over its max.
 */
NODISCARD bool fetch_get(const char *url, int64_t timeout_us, struct fetch_answer *answer,
                         struct error *err);
