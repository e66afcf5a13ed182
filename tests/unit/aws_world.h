/*
 * aws_world.h - a controlled environment for tests of aws/: variables, home directory, HTTP server.
 *
 * Threads: it changes the environment, so no other thread may read the environment at that time.
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

/** The server's answer to requests that begin with `request`. */
struct world_answer {
    const char *request; /* "GET /path" */
    const char *answer;  /* the bytes to send; NULL: never answer; "": close the connection */
};

struct world {
    struct folder folder; /* the home directory */
    struct canned *server;
    const struct world_answer *answers; /* the last one has `request` NULL */
    char seen[WORLD_SEEN_MAX];          /* all requests, in order; read it after world_stop() */
};

#define WORLD_JSON(body)                                                                           \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body
#define WORLD_REFUSE(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n\r\n"

/**
 * Unset all AWS variables, point HOME at an empty folder, and start a server that sends the first
 * of `answers` that fits, else 404. `answers` is borrowed.
 */
void world_init(struct world *world, const struct world_answer *answers);

/** Stop the server. After that `seen` can be read. */
void world_stop(struct world *world);

void world_done(struct world *world);

/** Set a variable. `%U` in `value` stands for the server's URL, `%H` for the home directory. */
void world_set(const struct world *world, const char *name, const char *value);

/** Write a file into the home directory, with the same replacements in `text`. */
void world_write(const struct world *world, const char *name, const char *text);

/** Call one provider with the settings of the environment. The caller owns `*out`. */
enum aws_found world_ask(const struct world *world, const struct aws_provider *provider,
                         struct aws_credentials *out, struct error *err);
