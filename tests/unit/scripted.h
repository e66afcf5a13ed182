/*
 * scripted.h - a schema registry that says what the test tells it to, when it tells it to.
 *
 * Threads: any.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "schema/registry/registry.h"

struct scripted {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    char definition[2048];
    char version[REGISTRY_VERSION_SIZE];
    char asked[REGISTRY_VERSION_SIZE]; /* the version asked for last; "": the latest */
    struct error error;                /* code ERR_NONE: it gives the definition */
    bool closed;                       /* whoever asks now waits */
    bool interrupted;
    int inside; /* how many are asking now */
    int most;   /* how many did at one time */
    int asks;   /* how many have asked */
};

void scripted_init(struct scripted *script);

void scripted_done(struct scripted *script);

/** The registry; it borrows the script. */
struct registry scripted_registry(struct scripted *script);

/** From now on it gives this definition. */
void scripted_give(struct scripted *script, const char *version, const char *definition);

/** From now on it fails. */
void scripted_fail(struct scripted *script, enum err_code code, const char *text);

/** Keep those who ask waiting, or let them go on. */
void scripted_close(struct scripted *script, bool closed);

/** How many have asked so far. */
int scripted_asks(struct scripted *script);

/** Wait until somebody is kept waiting. */
bool scripted_await_inside(struct scripted *script);
