/*
 * webhook.h - signatures of Standard Webhooks (standardwebhooks.com), so that a receiver knows who
 * sent a request and when.
 *
 * Threads: any.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum { WEBHOOK_SECRETS_MAX = 8 }; /* in one file */

struct webhook_message {
    struct str id; /* without a full stop; the same each time the message is sent */
    int64_t at_s;  /* when it is sent; seconds since 1970 */
    struct str body;
};

/**
 * Append the value of `webhook-signature`: `v1,` and an HMAC-SHA256 in Base64 for each secret,
 * separated by spaces. `secret_file` has one secret a line, in Base64 behind `whsec_`; several
 * while a receiver changes from one to the next. ERR_CONFIG: the file cannot be read, or a line is
 * not a secret.
 */
NODISCARD bool webhook_sign(const char *secret_file, const struct webhook_message *message,
                            struct buf *out, struct error *err);
