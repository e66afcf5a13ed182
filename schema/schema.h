/*
 * schema.h - JSON Schema: compile once, check many times.
 *
 * Drafts 4, 6, 7, 2019-09 and 2020-12. A compiled schema is flat, immutable and shared between
 * threads; the documents it was made from may be released afterwards. There is no network: `$ref`
 * reaches the document itself, the bundled metaschemas and the resources handed over; one that
 * leads nowhere is a warning, and SCHEMA_DANGLING for an instance that reaches it. Formats are
 * annotations unless `assert_formats`. An assertion keyword that is not implemented is a compile
 * error, never ignored; so is draft 3.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

struct schema;

enum schema_draft {
    SCHEMA_DRAFT_2020_12, /* the default */
    SCHEMA_DRAFT_2019_09,
    SCHEMA_DRAFT_7,
    SCHEMA_DRAFT_6,
    SCHEMA_DRAFT_4,
};

/** A further document that `$ref` may reach. */
struct schema_resource {
    const char *uri;
    struct json_object *document;
};

/** Finds documents that `$ref` may reach beside those handed over. */
struct schema_finder {
    /**
     * The document that `uri` means, which is `reference` (without fragment) resolved, in `*out`
     * with the URI it is known by; both borrowed until the compilation ends. A NULL document: there
     * is none. False: the compilation fails with `err`.
     */
    bool (*find)(void *self, struct str uri, struct str reference, struct schema_resource *out,
                 struct error *err);
    void *self;
};

struct schema_options {
    enum schema_draft draft; /* for documents without a `$schema` that names a known draft */
    bool assert_formats;
    bool from_glue; /* whose schemas are of draft 4, 6 or 7: warn when it does not say so */
    const struct schema_resource *resources; /* borrowed during the call */
    size_t resource_count;
    const char *base_uri; /* of the document, unless its `$id` says another; NULL: it has none */
    const struct schema_finder *finder; /* NULL: there is none; borrowed during the call */
    struct json_symbols *symbols; /* the reader's keys; the schema's property names are added and
                                     then known by address. NULL: none. Must outlive the schema */
};

/**
 * Compile `document` (borrowed during the call; `options` may be NULL). The caller owns the
 * result. ERR_MALFORMED says where in the schema (JSON Pointer) and what is wrong.
 */
NODISCARD bool schema_compile(struct json_object *document, const struct schema_options *options,
                              struct schema **out, struct error *err);

/** NULL is fine. */
void schema_destroy(struct schema *schema);

/** The draft named by "4", "6", "7", "2019-09", "2020-12" or a metaschema's URI. */
bool schema_draft_parse(struct str name, enum schema_draft *out);

/**
 * What is probably wrong with a schema that compiles, each as "at <JSON Pointer>: ...": a reference
 * that leads nowhere, a misspelt keyword, an unknown `$schema`. At most 20. Valid as long as it.
 */
const struct str *schema_warnings(const struct schema *schema, size_t *count);

/** Does `properties` or `required` of one of its subschemas contain this name? */
bool schema_mentions(const struct schema *schema, struct str name);

/*
 * The work that a check may still do, over nodes, pattern steps and array elements. One budget
 * serves all checks of one request. Owned by the caller, one thread.
 */
struct schema_budget {
    int64_t limit_us;        /* of the thread's processor time; 0: none */
    int64_t end_us;          /* on clock_thread_us(); 0 until that was looked at first */
    uint64_t until_look;     /* steps until it is looked at again */
    uint64_t pattern_steps;  /* the most for one search of a pattern; 0: the usual limit */
    const atomic_bool *stop; /* set by another thread to end the check soon; NULL: none */
    bool exhausted;
};

/**
 * A budget of `budget_us` microseconds of processor time; 0: without end. A machine that gives the
 * thread no time makes no event expensive. The first few thousand steps are free.
 */
struct schema_budget schema_budget(int64_t budget_us);

/**
 * A budget for a thread that must stay responsive: `slice_us` in all, and no single search of a
 * pattern takes much longer either. SCHEMA_TOO_EXPENSIVE then only means: needs more time.
 */
struct schema_budget schema_budget_slice(int64_t slice_us);

enum schema_verdict {
    SCHEMA_VALID,
    SCHEMA_INVALID,
    SCHEMA_TOO_EXPENSIVE, /* the budget or a pattern's steps ended it: neither yes nor no */
    SCHEMA_DANGLING,      /* a reference that leads nowhere was reached: neither yes nor no */
    SCHEMA_OVER_LIMIT,    /* a pattern needs more memory than it gets: neither yes nor no */
};

/** What a verdict that is neither yes nor no means, for the answer to a sender. */
const char *schema_verdict_text(enum schema_verdict verdict);

/** Yes or no, without allocating. `budget` may be NULL: without end. */
enum schema_verdict schema_check(const struct schema *schema, struct json_object *instance,
                                 struct schema_budget *budget);

/** One error, as a "basic" output unit; texts in the arena. */
struct schema_unit {
    struct str instance_location; /* JSON Pointer without `#` */
    struct str keyword_location;  /* JSON Pointer without `#` */
    struct str error;             /* worded as Python's jsonschema 4.26 does */
};

/** Add it as JSON: `{"instanceLocation":...,"keywordLocation":...,"error":...}`. */
void schema_unit_write(struct buf *out, const struct schema_unit *unit);

struct schema_report_options {
    size_t max_errors;  /* 0: all */
    bool redact_values; /* instance values read as their type: <string> */
    size_t max_text;    /* bytes of each text of a unit; 0: 4096. Values are cut first */
};

struct schema_report {
    const struct schema_unit *units; /* leaf errors in schema order */
    size_t count;
    bool truncated;          /* there were more than max_errors */
    struct schema_unit best; /* the one that best_match would pick; empty when valid */
};

/**
 * Every error of `instance`. SCHEMA_VALID leaves an empty report; a verdict that is neither yes nor
 * no one that must not be used.
 */
enum schema_verdict schema_report(const struct schema *schema, struct json_object *instance,
                                  const struct schema_report_options *options,
                                  struct schema_budget *budget, struct arena *arena,
                                  struct schema_report *out);
