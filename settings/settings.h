/*
 * settings.h - a YAML file checked against its JSON Schema, in the words of who wrote the file.
 *
 * The schema is the single source of a file's keys: it says what may stand there, and what holds
 * when nothing does (`default`). Problems come one a line, `FILE:LINE: KEY: what is wrong`, all of
 * them in the file's order, and never quote a value.
 *
 * Beyond JSON Schema a node may say:
 *   x-kind      "size" (integer or `2MiB`, bytes), "time" (`30s`), "pointer" (a JSON Pointer)
 *   x-minimum, x-maximum   bounds of a size or a time, written like one
 *   x-sinks     the kinds of sinks that have this key; absent: all have it
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
 * Read the YAML that `options` name (its `file` NULL: there is none, everything has its default)
 * and check it against the JSON Schema in the text `schema`. What the schema refuses is not an
 * error but a problem, to be looked at afterwards. The caller owns the result. ERR_CONFIG when it
 * is not YAML, ERR_SYSTEM when it cannot be read.
 */
NODISCARD bool settings_load(const struct yaml_options *options, struct str schema,
                             struct settings **out, struct error *err);

/** NULL is fine. */
void settings_destroy(struct settings *settings);

/** How many problems there are. */
size_t settings_problem_count(const struct settings *settings);

/** The problem `index`, a line without its newline; lives as long as the settings. */
const char *settings_problem(const struct settings *settings, size_t index);

/** The same problem in its parts. */
struct settings_problem {
    const char *file; /* NULL: there is none */
    size_t line;      /* 0: there is no file */
    const char *key;  /* http.listen; "": the whole file */
    const char *what;
};

struct settings_problem settings_problem_parts(const struct settings *settings, size_t index);

/** The parts of a line about the place at that JSON Pointer, `what` NULL. */
struct settings_problem settings_place(struct settings *settings, struct str pointer);

/**
 * Add a problem of the place at that JSON Pointer, unless its value is refused as it is: that
 * explains the rest. A thousand are kept.
 */
void settings_complain(struct settings *settings, struct str pointer, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/** Is there a problem at this JSON Pointer, below it or at a place that it lies in? */
bool settings_has_problem(const struct settings *settings, struct str pointer);

/** A place in the file: a value, or the default that stands in for it. */
struct setting {
    struct str pointer;         /* where it is, or would be */
    struct json_object *value;  /* NULL: JSON null, or an object that is not there */
    struct json_object *schema; /* what it must be */
};

/** The whole file. */
struct setting settings_root(const struct settings *settings);

/** What stands at `path` below an object, as `tls.cert_file`; its text lives in the settings. */
struct setting settings_get(struct settings *settings, const struct setting *object,
                            const char *path);

/** The element `index` of an array. */
struct setting settings_at(struct settings *settings, const struct setting *array, size_t index);
