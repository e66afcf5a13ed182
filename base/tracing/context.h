/*
 * context.h - the trace that a request belongs to: W3C Trace Context and AWS X-Ray.
 *
 * Within the program, and in the store, a context is the text of a `traceparent` of version 00:
 * `00-TRACE-SPAN-FLAGS`. Services of AWS take it in the form of an `X-Amzn-Trace-Id`.
 *
 * Threads: values. Slices stay the caller's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/str.h"

enum {
    TRACE_ID_LEN = 32, /* lower-case hexadecimal digits */
    TRACE_SPAN_LEN = 16,
    TRACE_PARENT_LEN = 55, /* of a traceparent of version 00 */
};

enum trace_sampled { TRACE_SAMPLED_UNKNOWN, TRACE_SAMPLED_NO, TRACE_SAMPLED_YES };

struct trace_context {
    char trace_id[TRACE_ID_LEN + 1];  /* hexadecimal digits; "": no trace */
    char span_id[TRACE_SPAN_LEN + 1]; /* of the parent of what comes next; "": not known */
    enum trace_sampled sampled;
};

/** Are the trace's spans recorded? */
static inline bool trace_is_sampled(const struct trace_context *context)
{
    return context->sampled == TRACE_SAMPLED_YES;
}

/**
 * Read the headers of a request: `traceparent`, and if that is not well-formed `X-Amzn-Trace-Id`,
 * which may lack span and decision. False: neither is well-formed; `*out` is empty.
 */
NODISCARD bool trace_context_read(struct str traceparent, struct str amzn_trace_id,
                                  struct trace_context *out);

/** Write a `traceparent` of version 00 and a NUL. The context has a trace and a span. */
void trace_context_write(const struct trace_context *context,
                         char text[static TRACE_PARENT_LEN + 1]);

/** The same context as a value of `X-Amzn-Trace-Id`, in the arena; ptr NULL: it is none. */
struct str trace_context_for_aws(struct arena *arena, struct str traceparent);

/** Does `text` name a trace whose spans are recorded? For a text that trace_context_write() wrote.
 */
bool trace_text_is_sampled(struct str text);

/** Its trace id; ptr NULL: it is no context. */
struct str trace_text_id(struct str text);

/** Is it a `traceparent` that may be passed on as it is? */
bool trace_text_is_whole(struct str text);

/**
 * For the log: the trace id of a W3C `traceparent`, else the root of an `X-Amzn-Trace-Id` as it
 * came; ptr NULL: neither is well-formed.
 */
struct str trace_id_for_log(struct str traceparent, struct str amzn_trace_id);

/** Random ids, with a NUL. */
void trace_new_id(char id[static TRACE_ID_LEN + 1]);
void trace_new_span(char id[static TRACE_SPAN_LEN + 1]);
