/*
 * limits.h - how much of something all requests together may have.
 *
 * Threads: atomic; any thread may call any function.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/* An amount that is taken and given back. */
struct http_quota {
    atomic_size_t used;
    size_t max; /* SIZE_MAX: no limit */
};

/** Take `amount` if there is that much left. */
NODISCARD bool http_quota_take(struct http_quota *quota, size_t amount);

/** Is that much left now? */
bool http_quota_has(const struct http_quota *quota, size_t amount);

void http_quota_give(struct http_quota *quota, size_t amount);
