/*
 * sender.h - sends events as EventBridge's API destinations do, and judges the answers as a bus
 * does.
 *
 * Threads: a sender belongs to one thread at a time; its options are shared and read-only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "delivery/sinks/oauth.h"

enum sender_bus {
    SENDER_CLASSIC, /* retries 401, 407, 409, 429, 5xx, and calls without an answer */
    SENDER_CUSTOM,  /* retries everything but 2xx; sends arrays */
};

/** Texts are "" when they are not used. */
struct sender_options {
    const char *url;
    const char *ca_file; /* "": the system's certificates */
    bool any_certificate;
    enum sender_bus bus;
    const char *header;      /* the name of the header with the secret: API key or Basic */
    struct str header_value; /* its value */
    struct oauth *oauth;     /* NULL: no bearer tokens */
};

/** What one call has led to. */
enum sender_verdict {
    SENDER_DELIVERED,
    SENDER_RETRY, /* a later call may be answered 2xx */
    SENDER_FINAL, /* the bus does not call again */
};

struct sender_result {
    enum sender_verdict verdict;
    int status;             /* 0: there was no answer */
    int64_t took_us;        /* until the answer was complete */
    int64_t retry_after_us; /* the pause that the answer asks for; 0: none */
    bool timed_out;         /* there was no answer in time */
    struct error error;     /* why there was no answer */
};

/**
 * The value of Authorization for Basic; the password is the first line of the file. The caller
 * frees it with secret_free(). ERR_CONFIG.
 */
NODISCARD bool sender_basic(const char *user, const char *password_file, struct str *out,
                            struct error *err);

struct sender;

/** `options` must outlive it. The caller owns it. */
struct sender *sender_create(const struct sender_options *options);

/** NULL is fine. */
void sender_destroy(struct sender *sender);

/** Send one body on a new connection, and wait at most 5 seconds. */
struct sender_result sender_send(struct sender *sender, struct str body);

/** The code in the attribute ERROR_CODE of a message in a dead-letter queue. */
const char *sender_error_code(const struct sender_result *result);
