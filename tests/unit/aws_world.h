/*
 * aws_world.h - an environment of its own for tests of aws/: variables, files, an HTTP server.
 *
 * Threads: only while no other thread runs, since it changes the environment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aws/credentials.h"
#include "aws/session.h"
#include "base/error.h"
#include "base/str.h"
#include "tests/unit/canned.h"
#include "tests/unit/folder.h"

enum { WORLD_SEEN_MAX = 16384 };

/** What the server says to requests whose first line begins with `request`. */
struct world_answer {
    const char *request; /* "GET /path" */
    const char *answer;  /* the whole of it; NULL: stall; "": close */
};

/** Init with world_init(). `folder` is the home directory. */
struct world {
    struct folder folder;
    struct canned *server;
    const struct world_answer *answers; /* ended by one whose `request` is NULL */
    char seen[WORLD_SEEN_MAX];          /* requests, one after the other; read after world_stop() */
};

#define WORLD_JSON(body)                                                                           \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body
#define WORLD_REFUSE(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n\r\n"

/** No AWS variable is set, HOME is an empty folder, the server answers by `answers`. */
void world_init(struct world *world, const struct world_answer *answers);

/** End the server, so that `seen` can be read. */
void world_stop(struct world *world);

void world_done(struct world *world);

/** Set a variable. In `value`, `%U` is the server's URL and `%H` the home directory. */
void world_set(const struct world *world, const char *name, const char *value);

/** Write a file into the home directory, with the same replacements. */
void world_write(const struct world *world, const char *name, const char *text);

/** Ask one provider, as the session's thread would. */
enum aws_found world_ask(const struct world *world, const struct aws_provider *provider,
                         struct aws_credentials *out, struct error *err);
