/*
 * settings_internal.h - what the files of settings.h share.
 *
 * settings.c reads the file and finds values, include.c joins other files, check.c checks all
 * against the schema, problems.c keeps the problems.
 */
#pragma once

#include "base/arena.h"
#include "settings/settings.h"

enum { SETTINGS_LISTS = 2, SETTINGS_INCLUDES_MAX = 1000 };

/* A file: the settings file is the first one, the others are included. */
struct settings_source {
    const char *file;             /* NULL: there is none */
    struct yaml *yaml;            /* NULL likewise */
    size_t first[SETTINGS_LISTS]; /* the index of its first element in each joined list */
};

struct problem {
    struct str pointer; /* in the joined tree */
    size_t source;      /* the index of its file */
    bool is_value;      /* the YAML reader or the schema refuses the value */
    struct settings_problem parts;
};

struct settings {
    struct arena *arena; /* holds the texts */
    struct settings_source *sources;
    size_t source_count;
    size_t source_capacity;
    struct json_object *root;   /* what the files say; the YAML's, `joined`, or `empty` */
    struct json_object *joined; /* NULL: nothing is included */
    struct json_object *empty;  /* an empty object */
    struct json_object *schema; /* the document */
    struct problem *problems;   /* by file and line */
    size_t count;
    size_t capacity;
    bool is_checked; /* by the schema */
};

/** Add a problem at `local` in the file `source`; `line` 0: that of the place. */
void settings_complain_in(struct settings *settings, size_t source, struct str local, size_t line,
                          const char *what);

/** Read the file of the options, as the next source; no file is one, too. */
NODISCARD bool settings_add_source(struct settings *settings, const struct yaml_options *options,
                                   struct error *err);

/** Read the files that the first one includes, and join their lists with its own. */
NODISCARD bool settings_include(struct settings *settings, const struct yaml_options *options,
                                struct error *err);

/** The file of a place in the joined tree; `*local` is the place in that file. */
size_t settings_find_source(struct settings *settings, struct str pointer, struct str *local);

/** The other way. */
struct str settings_joined_pointer(struct settings *settings, size_t source, struct str local);

/** Add a problem for each value that the schema refuses. Fails when the schema does not compile. */
NODISCARD bool settings_check(struct settings *settings, struct error *err);
