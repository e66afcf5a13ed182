/*
 * schema.h - JSON Schema: compile once, check many times.
 *
 * Supports drafts 4, 6, 7, 2019-09 and 2020-12. Assertions are never ignored: a draft 3 schema, or
 * a metaschema that requires an unknown vocabulary, is a compile error. `format` is an annotation
 * unless `assert_formats` is set.
 *
 * A compiled schema is immutable, and threads share it. It does not use the documents that it was
 * compiled from. Nothing is loaded from the network: a `$ref` can refer to its own document, to the
 * bundled metaschemas, and to the documents that the options supply. A `$ref` without a target
 * causes a warning, and the verdict SCHEMA_DANGLING for each instance that needs it.
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
#include "base/flat.h"
#include "base/str.h"

struct schema;

enum schema_draft {
    SCHEMA_DRAFT_2020_12, /* the default */
    SCHEMA_DRAFT_2019_09,
    SCHEMA_DRAFT_7,
    SCHEMA_DRAFT_6,
    SCHEMA_DRAFT_4,
};

/** Another document that `$ref` can refer to. */
struct schema_resource {
    const char *uri;
    const struct flat *document;
};

/** Finds documents that `$ref` refers to and that are not in schema_options.resources. */
struct schema_finder {
    /**
     * Find the document with the URI `uri`. `reference` is the same URI as written in the schema,
     * before it was resolved against the base URI, without its fragment. `*out` gets the document
     * (NULL: not found) and the URI that identifies it; both must live until the compilation ends.
     * Returns false when the search itself fails; then the compilation fails with `err`.
     */
    bool (*find)(void *self, struct str uri, struct str reference, struct schema_resource *out,
                 struct error *err);
    void *self;
};

struct schema_options {
    enum schema_draft draft; /* of documents whose `$schema` is missing or unknown */
    bool assert_formats;     /* `format` is an assertion */
    bool from_glue; /* the document is from AWS Glue: warn unless it declares draft 4, 6 or 7 */
    const struct schema_resource *resources; /* borrowed during the call */
    size_t resource_count;
    const char *base_uri;               /* its `$id` is resolved against this; NULL: none */
    const struct schema_finder *finder; /* NULL: none; borrowed during the call */
    struct json_symbols *symbols; /* the property names of the schema are added. Instances must be
                                     read with this table or without one. NULL: none. Must outlive
                                     the schema */
};

/**
 * Compile `document` (borrowed during the call; `options` may be NULL). The caller owns the
 * result. ERR_MALFORMED: the text has the JSON Pointer of the fault in the schema, and the reason.
 */
NODISCARD bool schema_compile(const struct flat *document, const struct schema_options *options,
                              struct schema **out, struct error *err);

/** NULL is fine. */
void schema_destroy(struct schema *schema);

/**
 * The draft that `name` stands for: "4", "6", "7", "2019-09", "2020-12" or the URI of its
 * metaschema. False: no draft has this name.
 */
bool schema_draft_parse(struct str name, enum schema_draft *out);

/**
 * Probable faults of a schema that compiles, each as "at <JSON Pointer>: ...": a reference without
 * a target, a misspelt keyword, an unknown `$schema`. At most 20. Valid as long as the schema.
 */
const struct str *schema_warnings(const struct schema *schema, size_t *count);

/** Does `properties` or `required` of any subschema contain this name? */
bool schema_mentions(const struct schema *schema, struct str name);

/*
 * Limits the processor time of checks. All checks of one request can share one budget. The checker
 * counts steps (subschemas, array elements, pattern steps), and reads the clock only once every few
 * thousand steps. Owned by the caller; used by one thread.
 */
struct schema_budget {
    int64_t limit_us;        /* of the thread's processor time; 0: no limit */
    int64_t end_us;          /* as clock_thread_us(); 0: the clock has not been read yet */
    uint64_t steps;          /* left until the clock is read again */
    uint64_t pattern_steps;  /* limit for one search of a pattern; 0: the default limit */
    const atomic_bool *stop; /* set by another thread to end the check soon; NULL: none */
    bool exhausted;
};

/**
 * A budget of `budget_us` microseconds; 0: no limit. It counts processor time of the thread, so
 * other load on the machine does not use it up. Time counts from the first reading of the clock on.
 */
struct schema_budget schema_budget(int64_t budget_us);

/**
 * A budget for a thread that must stay responsive: `slice_us` for all checks, and about as much for
 * one search of a pattern. With this budget, SCHEMA_TOO_EXPENSIVE means only that the check needs
 * more than the slice.
 */
struct schema_budget schema_budget_slice(int64_t slice_us);

/** The slow path of schema_budget_spend(): read the clock. */
bool schema_budget_read_clock(struct schema_budget *budget);

/**
 * Count `steps`, each of about 10 ns, of work outside this module against a budget. False: it is
 * used up. NULL: no limit.
 */
static inline bool schema_budget_spend(struct schema_budget *budget, uint64_t steps)
{
    if (!budget || (budget->limit_us == 0 && !budget->stop))
        return true;
    if (budget->steps < steps || budget->exhausted)
        return schema_budget_read_clock(budget);
    budget->steps -= steps;
    return true;
}

/** The steps, each of about 10 ns, of the time that is left; UINT64_MAX: no limit. */
uint64_t schema_budget_left(const struct schema_budget *budget);

enum schema_verdict {
    SCHEMA_VALID,
    SCHEMA_INVALID,
    /* Undecided: */
    SCHEMA_TOO_EXPENSIVE, /* the limit of time, of a pattern's steps or of depth ended the check */
    SCHEMA_DANGLING,      /* the check needs a reference that has no target */
    SCHEMA_OVER_LIMIT,    /* a pattern needs more memory than its limit */
};

/** The reason of an undecided verdict, for the answer to a sender. */
const char *schema_verdict_text(enum schema_verdict verdict);

/**
 * The verdict only. Allocates memory only for large values under unevaluated* and uniqueItems.
 * `budget` NULL: no limit of time; those of patterns and depth remain.
 */
enum schema_verdict schema_check(const struct schema *schema, const struct flat *instance,
                                 struct schema_budget *budget);

/** One error, as a "basic" output unit; texts in the arena. */
struct schema_unit {
    struct str instance_location; /* JSON Pointer without `#` */
    struct str keyword_location;  /* JSON Pointer without `#` */
    struct str error;             /* the message of Python's jsonschema 4.26 */
};

/** Append the unit as JSON: `{"instanceLocation":...,"keywordLocation":...,"error":...}`. */
void schema_unit_write(struct buf *out, const struct schema_unit *unit);

struct schema_report_options {
    size_t max_errors;  /* 0: all */
    bool redact_values; /* show the type of instance values in place of the value: <string> */
    size_t max_text;    /* bytes of each text of a unit; 0: 4096. Values are shortened first */
};

struct schema_report {
    const struct schema_unit *units; /* leaf errors in schema order */
    size_t count;
    bool truncated;          /* the instance has more than max_errors errors */
    struct schema_unit best; /* the error that jsonschema's best_match selects; empty when valid */
    struct str reason;       /* its text for logs: no value of the instance, and `*` for names of
                                properties that the schema did not expect */
};

/**
 * Report every error of `instance`. The report is empty with SCHEMA_VALID. With an undecided
 * verdict its content is undefined.
 */
enum schema_verdict schema_report(const struct schema *schema, const struct flat *instance,
                                  const struct schema_report_options *options,
                                  struct schema_budget *budget, struct arena *arena,
                                  struct schema_report *out);
