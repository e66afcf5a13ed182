/*
 * settings.h - a YAML file checked by a JSON Schema; errors with file and line.
 *
 * The schema is the single source of a file's keys: what a key may hold, and its `default`. A
 * problem is one line, `FILE:LINE: KEY: what is wrong`. All problems of a file are reported, in the
 * file's order. None quotes a value, because a value can come from the environment and be a secret.
 *
 * Beyond JSON Schema a node may say:
 *   x-kind      "size" (an integer, or `2MiB`), "time" (`30s`), "pointer" (a JSON Pointer)
 *   x-minimum, x-maximum   bounds of a size or a time, written like one
 *   x-sinks     the kinds of sinks that have this key; absent: all have it
 *   x-secret    an object whose values can be secrets: settings_write() hides them
 *   x-or        beside `enum`: words that end the list of what is expected
 *   x-includes  of the key `include`: the lists that files named there may have; their elements
 *               follow those of the file itself
 *   x-expected  what is expected, where JSON Schema's own words would not help
 *
 * Threads: a struct settings belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "settings/yaml.h"

struct settings;

/**
 * Read the YAML that `options` name (`file` NULL: no file, every key has its default) and check it
 * against the JSON Schema in the text `schema`. A value that the schema refuses is a problem, not
 * an error. The caller owns the result. ERR_CONFIG when the file is not YAML, ERR_SYSTEM when it
 * cannot be read.
 */
NODISCARD bool settings_load(const struct yaml_options *options, struct str schema,
                             struct settings **out, struct error *err);

/** NULL is fine. */
void settings_destroy(struct settings *settings);

/** How many problems there are. */
size_t settings_problem_count(const struct settings *settings);

struct settings_problem {
    const char *file; /* NULL: there is no file */
    size_t line;      /* 0: there is no file */
    const char *key;  /* http.listen; "": the whole file */
    const char *what;
    const char *text; /* all of it, one line without a newline */
};

/** The problem `index`; valid until the next settings_complain() and settings_destroy(). */
const struct settings_problem *settings_problem(const struct settings *settings, size_t index);

/** The place at that JSON Pointer as the parts of a problem, `what` and `text` NULL. */
struct settings_problem settings_place(struct settings *settings, struct str pointer);

/**
 * Add a problem of the place at that JSON Pointer, unless the YAML reader or the schema refuses its
 * value: then the text would be a consequence. A thousand problems are kept.
 */
void settings_complain(struct settings *settings, struct str pointer, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/** settings_complain() as a function that receives problems. */
void settings_on_problem(void *settings, struct str pointer, const char *what);

/** Is there a problem at this JSON Pointer, below it, or at a place that contains it? */
bool settings_has_problem(const struct settings *settings, struct str pointer);

/** The same, of the problems that the YAML reader or the schema has found. */
bool settings_refuses(const struct settings *settings, struct str pointer);

/** The JSON Pointer of the member `key` of the object at that pointer; in the arena. */
struct str settings_member_pointer(struct arena *arena, struct str object, const char *key);

/** A place in the file: a value, or the default of a key that the file does not have. */
struct setting {
    struct str pointer;         /* where it is, or would be */
    struct json_object *value;  /* NULL: JSON null, or an object that is not there */
    struct json_object *schema; /* what it must be */
    bool is_default;            /* the file does not have it, or what contains it */
};

/** Are settings read from the file at `path`, or will they be once it is there, by `include`? */
bool settings_reads(struct settings *settings, const char *path);

/** The folder of a file, with its slash; "" for what the shell passes as /dev/fd/N. */
struct str settings_folder(const char *file);

/** The whole file. */
struct setting settings_root(const struct settings *settings);

/** The value at `path` below an object, as `tls.cert_file`; its text lives in the settings. */
struct setting settings_get(struct settings *settings, const struct setting *object,
                            const char *path);

/** The element `index` of an array. */
struct setting settings_at(struct settings *settings, const struct setting *array, size_t index);

/**
 * Add all keys with the values in force, those of the file and defaults, as indented JSON. It is
 * YAML as well, so it can be loaded again, except for what is hidden.
 */
void settings_write(struct settings *settings, struct buf *out);
