/*
 * scripted.h - a schema registry whose answers the test controls.
 *
 * Threads: any; a mutex guards the script.
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
    char asked[REGISTRY_VERSION_SIZE]; /* the version of the last fetch; "": the latest */
    struct error error;                /* what a fetch returns; ERR_NONE: the definition */
    bool closed;                       /* fetches wait */
    bool interrupted;
    int inside; /* fetches in progress */
    int most;   /* the largest number of fetches at the same time */
    int asks;   /* fetches so far */
};

void scripted_init(struct scripted *script);

void scripted_done(struct scripted *script);

/** A registry that uses the script, which must outlive it. */
struct registry scripted_registry(struct scripted *script);

/** Let later fetches return this definition. */
void scripted_give(struct scripted *script, const char *version, const char *definition);

/** Let later fetches fail with this error. */
void scripted_fail(struct scripted *script, enum err_code code, const char *text);

/** True: let current and later fetches wait. False: let them continue. */
void scripted_close(struct scripted *script, bool closed);

/** The number of fetches so far. */
int scripted_asks(struct scripted *script);

/** Wait until a fetch is in progress. False: none within 30 seconds. */
bool scripted_await_inside(struct scripted *script);
