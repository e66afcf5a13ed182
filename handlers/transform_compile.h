/*
 * transform_compile.h - the compilation of a transform file; for transform_load.c and
 * transform_compile*.c alone.
 *
 * The file was checked by its JSON Schema. What that cannot say is found here, and each problem is
 * added to the settings, so that all of them are reported at once: a part with a problem does not
 * hide those of other parts.
 */
#pragma once

#include "handlers/transform_internal.h"
#include "settings/settings.h"

/** What a pointer inside `each` starts from; for lint. */
struct transform_base {
    struct str pointer; /* from the payload, an element as 0; ptr NULL: not known */
    const struct transform_base *outer;
};

struct transform_compiler {
    struct settings *settings;
    const char *path; /* of the file */
    struct arena *arena;
    struct transform_field *fields; /* so far; may move */
    size_t field_count;
    size_t field_capacity;
    uint32_t rival_count;
    const struct transform_lint *lint; /* NULL: none */
    const struct transform_base *base;
    size_t each_level;
    size_t level;
};

/** An object or value of the file, and its place there. */
struct transform_node {
    struct json_object *value;
    struct str pointer;
};

/** The member `key`. False: there is none. */
bool transform_node_find(const struct transform_compiler *compiler,
                         const struct transform_node *object, const char *key,
                         struct transform_node *out);

/** How many elements a list has; 1: a value that stands for a list of one. */
size_t transform_node_count(const struct transform_node *list);

/** The element `index`, or that value. */
struct transform_node transform_node_at(const struct transform_compiler *compiler,
                                        const struct transform_node *list, size_t index);

/** Has the JSON Schema refused it, or a part of it? Then it is not compiled. */
bool transform_node_is_refused(const struct transform_compiler *compiler,
                               const struct transform_node *node);

/** Compile the fields of a file into compiler->fields, the first of which is the record. */
void transform_compile_fields(struct transform_compiler *compiler,
                              const struct transform_node *list);

/** Compile a pattern; NULL: a problem. The arena owns it. */
const struct pattern *transform_compile_pattern(struct transform_compiler *compiler,
                                                const struct transform_node *node);

/** transform_compile_as.c: compile `as`. */
void transform_compile_as(struct transform_compiler *compiler, const struct transform_node *node,
                          struct transform_field *field);

/** transform_compile_text.c: compile `text`. */
void transform_compile_text(struct transform_compiler *compiler, const struct transform_node *node,
                            struct transform_field *field);

/** transform_compile_text.c: compile `without`. */
void transform_compile_without(struct transform_compiler *compiler,
                               const struct transform_node *node, struct transform_field *field);

/** Compile one pointer that is at `node`, and look at it with lint. False: a problem. */
bool transform_compile_source(struct transform_compiler *compiler, struct str text,
                              const struct transform_node *node, struct transform_source *out);
