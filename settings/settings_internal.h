/*
 * settings_internal.h - what the files of settings.h share.
 *
 * settings.c reads the file and finds values, check.c checks it against the schema, problems.c
 * keeps the problems.
 */
#pragma once

#include "base/arena.h"
#include "settings/settings.h"

struct problem {
    struct str pointer;
    bool is_value; /* the YAML reader or the schema refuses the value */
    struct settings_problem parts;
};

struct settings {
    struct arena *arena; /* holds the texts */
    const char *file;
    struct yaml *yaml;          /* NULL: there is no file */
    struct json_object *root;   /* what the file says; the YAML's, or `empty` */
    struct json_object *empty;  /* an empty object */
    struct json_object *schema; /* the document */
    struct problem *problems;   /* by line */
    size_t count;
    size_t capacity;
    bool is_checked; /* by the schema */
};

/** settings_complain() with a line and a text at hand. */
void settings_complain_at(struct settings *settings, struct str pointer, size_t line,
                          const char *what);

/** Add a problem for each value that the schema refuses. Fails when the schema does not compile. */
NODISCARD bool settings_check(struct settings *settings, struct error *err);
