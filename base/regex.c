/*
 * regex.c - see regex.h. The only file that knows PCRE2.
 *
 * The complication is to bound the time. PCRE2's match limit counts the steps from one starting
 * place only, and steps over a plain repetition such as [a-z]* not at all. So a search first runs
 * with a small limit, which nearly always is enough. When it is not, the places are tried one by
 * one with limits that grow, and every one is paid for. And a text long enough for uncounted steps
 * to hurt (their number may grow with the square of its length) is searched in windows of starting
 * places, with a look at the thread's clock behind each.
 */
#include "base/regex.h"

#include <assert.h>
#include <pthread.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/regex_ecma.h"
#include "base/regex_literal.h"
#include "base/utf8.h"

enum {
    MAX_PATTERN = 4096,
    MAX_REWRITTEN = 512 * 1024,
    MAX_COMPILE_MEMORY = 4 * 1024 * 1024,
    JIT_STACK_MIN = 32 * 1024,
    JIT_STACK_MAX = 1024 * 1024,
    HEAP_LIMIT_KIB = 1024,   /* of the interpreter, which steps in when the JIT stack is full */
    FIRST_LIMIT = 1000,      /* steps of the first try from one place, if ... */
    FIRST_WORK = 1 << 17,    /* ... from all places it is not more than this: 0.2 ms */
    ANCHORED_WORK = 1 << 22, /* the same in bytes, any of which a step may go over */
    LEAST_FIRST_LIMIT = 16,
    LIMIT_GROWTH = 2,      /* from try to try */
    SEARCH_STEPS = 100000, /* for a search, and ... */
    STEPS_PER_BYTE = 4,    /* ... for each byte of its text */
    STEPS_PER_PLACE = 4,   /* what going to the next starting place costs */
    BYTES_PER_STEP = 8,
    STEPS_PER_US = 100,
    REFERENCES = 64,       /* followed between two looks at the clock */
    CREEP_STEPS = 5000000, /* 50 ms, for a search in windows */
    WINDOW_WORK = 1 << 24, /* starting places times bytes that one window may cost */
    WHOLE_TEXT = 1024,     /* texts up to here are searched without looking at the clock */
};

struct regex {
    pcre2_code *code; /* NULL: `literal` does it */
    struct regex_literal literal;
    size_t memory_left; /* of what compiling may take */
    bool jit;
    bool anchored; /* a match begins at the start of the text or nowhere */
    bool refers;   /* it has back-references */
};

/* --------------------------------------------------------------- what belongs to a thread */

struct matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static pthread_key_t matcher_key;
static pthread_once_t matcher_once = PTHREAD_ONCE_INIT;
static _Thread_local struct matcher *thread_matcher;

/* `data`, if any, is what may still be taken. */
static void *allocate(size_t size, void *data)
{
    size_t *left = data;

    if (left) {
        if (size > *left)
            return NULL;
        *left -= size;
    }
    return mem_alloc(size);
}

static void release(void *ptr, void *data)
{
    (void)data;
    mem_free(ptr);
}

static void matcher_destroy(void *object)
{
    struct matcher *matcher = object;

    thread_matcher = NULL;
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->context);
    pcre2_jit_stack_free(matcher->stack);
    mem_free(matcher);
}

static void make_key(void)
{
    int status = pthread_key_create(&matcher_key, matcher_destroy);

    assert(status == 0);
}

static struct matcher *matcher_create(void)
{
    struct matcher *matcher = mem_alloc(sizeof(*matcher));
    pcre2_general_context *general = pcre2_general_context_create(allocate, release, NULL);

    (void)pthread_once(&matcher_once, make_key);
    matcher->data = pcre2_match_data_create(1, general);
    matcher->context = pcre2_match_context_create(general);
    matcher->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, general);
    pcre2_general_context_free(general);
    /* Without a stack (no address space left) PCRE2 uses 32 KiB of the thread's own. */
    pcre2_jit_stack_assign(matcher->context, NULL, matcher->stack);
    (void)pcre2_set_heap_limit(matcher->context, HEAP_LIMIT_KIB);
    (void)pthread_setspecific(matcher_key, matcher);
    thread_matcher = matcher;
    return matcher;
}

/* ------------------------------------------------------------------------------ compiling */

/*
 * Of (?=a)b?a PCRE2 believes that it begins with an `a` and needs another one behind it. In a
 * rewritten pattern the three bytes are nothing but a look-ahead.
 */
static uint32_t options_of(struct str pattern)
{
    static const uint32_t always = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
                                   PCRE2_NEVER_BACKSLASH_C | PCRE2_MATCH_UNSET_BACKREF |
                                   PCRE2_USE_OFFSET_LIMIT | PCRE2_NO_UTF_CHECK;
    bool looks_ahead = pattern.ptr && memmem(pattern.ptr, pattern.len, "(?=", 3) != NULL;

    return looks_ahead ? always | PCRE2_NO_START_OPTIMIZE : always;
}

static pcre2_code *compile(struct str pattern, size_t *memory_left, int *code, size_t *offset)
{
    pcre2_general_context *general = pcre2_general_context_create(allocate, release, memory_left);
    pcre2_compile_context *context = pcre2_compile_context_create(general);

    /* ECMA knows lone surrogates; no text has one, but classes may span them. */
    (void)pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALLOW_SURROGATE_ESCAPES);

    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)(pattern.ptr ? pattern.ptr : ""), pattern.len,
                                         options_of(pattern), code, offset, context);

    pcre2_compile_context_free(context);
    pcre2_general_context_free(general);
    return compiled;
}

static bool refuse(struct error *err, struct str pattern, int code, size_t offset)
{
    PCRE2_UCHAR text[128] = "";

    (void)pcre2_get_error_message(code, text, sizeof(text));
    return fail(err, ERR_MALFORMED, "at byte %zu: %s", regex_ecma_origin(pattern, offset),
                (const char *)text);
}

static bool compile_regex(struct regex *regex, struct str pattern, struct error *err)
{
    CLEANUP(buf_done) struct buf rewritten;
    uint32_t options = 0;
    uint32_t references = 0;
    size_t offset;
    int code;

    buf_init(&rewritten, MAX_REWRITTEN);
    if (!regex_ecma_rewrite(pattern, &rewritten, err))
        return false;
    regex->code = compile(buf_str(&rewritten), &regex->memory_left, &code, &offset);
    if (!regex->code)
        return refuse(err, pattern, code, offset);
    /* Where memory must not become code, or on another machine, the interpreter does it. */
    regex->jit = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_ALLOPTIONS, &options);
    regex->anchored = (options & PCRE2_ANCHORED) != 0;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_BACKREFMAX, &references);
    regex->refers = references > 0;
    return true;
}

bool regex_create(struct str pattern, struct regex **out, struct error *err)
{
    struct regex *regex;

    if (pattern.len > MAX_PATTERN)
        return fail(err, ERR_MALFORMED, "pattern longer than %d bytes", MAX_PATTERN);
    regex = mem_alloc(sizeof(*regex));
    regex->memory_left = MAX_COMPILE_MEMORY;
    if (!regex_literal_init(&regex->literal, pattern) && !compile_regex(regex, pattern, err)) {
        regex_destroy(regex);
        return false;
    }
    *out = regex;
    return true;
}

void regex_destroy(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    regex_literal_done(&regex->literal);
    mem_free(regex);
}

bool regex_is_ecma(struct str pattern)
{
    CLEANUP(buf_done) struct buf rewritten;
    struct error ignored;
    size_t memory_left = MAX_COMPILE_MEMORY;
    size_t offset;
    int code = 0;

    buf_init(&rewritten, MAX_REWRITTEN);
    if (pattern.len > MAX_PATTERN || !regex_ecma_rewrite(pattern, &rewritten, &ignored))
        return false;
    /* PCRE2 knows which scripts there are; its other objections are its own limits. */
    pcre2_code_free(compile(buf_str(&rewritten), &memory_left, &code, &offset));
    return code != PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY;
}

/* ------------------------------------------------------------------------------ searching */

struct search {
    const struct regex *regex;
    struct matcher *matcher;
    struct str text;
    uint64_t spent;
    uint64_t most;       /* that may be spent; 0: the first run of all, on a short text */
    int64_t started_us;  /* on clock_thread_us() */
    unsigned references; /* followed */
};

/* Is more spent than may be, in steps or in time? */
static bool overspent(struct search *s)
{
    uint64_t by_time = (uint64_t)(clock_thread_us() - s->started_us) * STEPS_PER_US;

    if (by_time > s->spent)
        s->spent = by_time;
    return s->spent >= s->most;
}

/*
 * Before a back-reference is followed, which may compare half of the text and is no step: the
 * rewriter has a callout there.
 */
static int on_reference(pcre2_callout_block *block, void *data)
{
    struct search *s = data;

    (void)block;
    return s->most > 0 && ++s->references % REFERENCES == 0 && overspent(s) ? PCRE2_ERROR_CALLOUT
                                                                            : 0;
}

/* One run of PCRE2 from the place `from`, with at most `limit` steps from each place. */
static int run(const struct search *s, size_t from, uint64_t limit)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)s->text.ptr;
    pcre2_match_data *data = s->matcher->data;
    pcre2_match_context *context = s->matcher->context;
    int rc = PCRE2_ERROR_JIT_STACKLIMIT;

    (void)pcre2_set_match_limit(context, (uint32_t)limit);
    if (LIKELY(s->regex->jit))
        rc = pcre2_jit_match(s->regex->code, subject, s->text.len, from, 0, data, context);
    if (UNLIKELY(rc == PCRE2_ERROR_JIT_STACKLIMIT))
        rc = pcre2_match(s->regex->code, subject, s->text.len, from,
                         PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, context);
    return rc;
}

/* The same, ending at the place `to`. */
static int run_to(const struct search *s, size_t from, size_t to, uint64_t limit)
{
    (void)pcre2_set_offset_limit(s->matcher->context, to);
    return run(s, from, limit);
}

/* A limit other than the match limit, or PCRE2 failing, is no answer either. */
static enum regex_verdict verdict_of(int rc)
{
    if (rc >= 0)
        return REGEX_MATCH;
    return rc == PCRE2_ERROR_NOMATCH ? REGEX_NO_MATCH : REGEX_TOO_EXPENSIVE;
}

static uint64_t first_limit(const struct search *s)
{
    size_t limit = (s->regex->anchored ? ANCHORED_WORK : FIRST_WORK) / (s->text.len + 1);

    if (limit > FIRST_LIMIT)
        return FIRST_LIMIT;
    return limit < LEAST_FIRST_LIMIT ? LEAST_FIRST_LIMIT : limit;
}

/* Does it match at the place `at`? Tried with ever more steps until it says so. */
static enum regex_verdict try_place(struct search *s, size_t at)
{
    for (uint64_t limit = first_limit(s);; limit *= LIMIT_GROWTH) {
        if (limit > s->most - s->spent)
            limit = s->most - s->spent;

        int rc = run_to(s, at, at, limit);

        if (rc != PCRE2_ERROR_MATCHLIMIT)
            return verdict_of(rc);
        s->spent += limit;
        if (overspent(s))
            return REGEX_TOO_EXPENSIVE;
    }
}

static size_t next_place(struct str text, size_t at)
{
    do {
        at++;
    } while (at < text.len && utf8_continues((unsigned char)text.ptr[at]));
    return at;
}

static enum regex_verdict try_places(struct search *s, size_t from, size_t to)
{
    for (size_t at = from; at <= to; at = next_place(s->text, at)) {
        enum regex_verdict verdict = try_place(s, at);

        if (verdict != REGEX_NO_MATCH || s->regex->anchored)
            return verdict;
        s->spent += STEPS_PER_PLACE;
        if (overspent(s))
            return REGEX_TOO_EXPENSIVE;
    }
    return REGEX_NO_MATCH;
}

static enum regex_verdict search_windows(struct search *s)
{
    size_t width = WINDOW_WORK / s->text.len + 1;
    uint64_t limit = first_limit(s);
    size_t to;

    for (size_t from = 0; from <= s->text.len; from = next_place(s->text, to)) {
        to = s->text.len - from < width ? s->text.len : from + width;

        int rc = run_to(s, from, to, limit);
        enum regex_verdict verdict =
            rc == PCRE2_ERROR_MATCHLIMIT ? try_places(s, from, to) : verdict_of(rc);

        if (verdict != REGEX_NO_MATCH)
            return verdict;
        if (overspent(s))
            return REGEX_TOO_EXPENSIVE;
    }
    return REGEX_NO_MATCH;
}

/* The search when it is not over at once. */
static enum regex_verdict search_carefully(struct search *s, uint64_t allowed)
{
    bool windows = s->text.len > WHOLE_TEXT && !s->regex->anchored;
    enum regex_verdict verdict;

    s->most = windows ? CREEP_STEPS : SEARCH_STEPS + STEPS_PER_BYTE * (uint64_t)s->text.len;
    if (s->most > allowed)
        s->most = allowed;
    s->started_us = clock_thread_us();
    verdict = windows ? search_windows(s) : try_places(s, 0, s->text.len);
    (void)pcre2_set_offset_limit(s->matcher->context, PCRE2_UNSET);
    return verdict;
}

static enum regex_verdict search_code(struct search *s, uint64_t allowed)
{
    if (UNLIKELY(s->regex->refers))
        (void)pcre2_set_callout(s->matcher->context, on_reference, s);
    if (s->text.len <= WHOLE_TEXT) {
        int rc = run(s, 0, first_limit(s));

        if (LIKELY(rc != PCRE2_ERROR_MATCHLIMIT))
            return verdict_of(rc);
    }
    return search_carefully(s, allowed);
}

enum regex_verdict regex_search(const struct regex *regex, struct str text, uint64_t *steps)
{
    struct search s = { .regex = regex, .text = text.ptr ? text : STR("") };
    uint64_t allowed = steps ? *steps : UINT64_MAX;
    enum regex_verdict verdict;

    if (allowed == 0)
        return REGEX_TOO_EXPENSIVE;
    if (!regex->code) {
        verdict = regex_literal_search(&regex->literal, s.text) ? REGEX_MATCH : REGEX_NO_MATCH;
    } else {
        s.matcher = thread_matcher ? thread_matcher : matcher_create();
        verdict = search_code(&s, allowed);
    }
    s.spent += 1 + text.len / BYTES_PER_STEP;
    if (steps)
        *steps = s.spent < allowed ? allowed - s.spent : 0;
    return verdict;
}
