/*
 * regex.c - see regex.h.
 *
 * The complication is to bound the time. PCRE2's match limit counts the steps from one starting
 * place only, and does not count steps over a plain repetition such as [a-z]*. So a search first
 * runs with a small limit, which is nearly always enough. If not, each starting place is tried on
 * its own with growing limits, and all steps are counted. In a long text the uncounted steps, whose
 * number can grow with the square of its length, take too long: it is searched in windows of
 * starting places, and the thread's processor time is checked after each window.
 *
 * Backtracking takes memory for each round of a repeated group, ten times as much without PCRE2's
 * JIT. A search that needs more than it may have goes on without backtracking
 * (base/regex_breadth.c), so that the verdict is the same with and without JIT.
 */
#include "base/regex.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/regex_internal.h"
#include "base/thread.h"
#include "base/utf8.h"

enum {
    JIT_STACK_MIN = 32 * 1024,
    JIT_STACK_MAX = 1024 * 1024,
    HEAP_KIB = 1024,            /* of the interpreter */
    REFERRING_HEAP_KIB = 32768, /* of the interpreter, for a pattern with back-references */
    FIRST_LIMIT = 1000,         /* steps of the first try from one place; fewer if ... */
    FIRST_WORK = 1 << 17,       /* ... all places together exceed this: 0.2 ms */
    ANCHORED_WORK = 1 << 22,    /* the same in bytes: one step may pass over any number */
    LEAST_FIRST_LIMIT = 16,
    LIMIT_GROWTH = 2,      /* factor from try to try */
    SEARCH_STEPS = 100000, /* per search, plus regex->steps_per_byte */
    STEPS_PER_PLACE = 4,   /* cost of the next starting place */
    BYTES_PER_STEP = 8,
    STEPS_PER_US = 100,
    NOISE_STEPS = 1000000,       /* 10 ms: what a busy host may add to a thread's time */
    REFERENCES = 64,             /* back-references between two checks of the time */
    SLOW_SEARCH_STEPS = 5000000, /* instead of SEARCH_STEPS, for a search in windows: 50 ms */
    WINDOW_WORK = 1 << 24,       /* starting places times bytes, per window */
    WHOLE_TEXT = 1024,           /* up to this length a text is searched without windows */
};

/* The state of a thread. */

static _Thread_local struct matcher *thread_matcher;

static void matcher_destroy(void *object)
{
    struct matcher *matcher = object;

    thread_matcher = NULL;
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->context);
    pcre2_jit_stack_free(matcher->stack);
    pcre2_general_context_free(matcher->memory);
    mem_free(matcher);
}

static struct matcher *matcher_create(void)
{
    struct matcher *matcher = mem_alloc(sizeof(*matcher));

    matcher->memory = regex_memory(NULL);
    matcher->data = pcre2_match_data_create(REGEX_GROUPS, matcher->memory);
    matcher->context = pcre2_match_context_create(matcher->memory);
    matcher->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, matcher->memory);
    /* Without its own stack (no address space left) PCRE2 uses 32 KiB of the thread's stack. */
    pcre2_jit_stack_assign(matcher->context, NULL, matcher->stack);
    (void)pcre2_set_heap_limit(matcher->context, HEAP_KIB);
    thread_at_end(matcher_destroy, matcher);
    thread_matcher = matcher;
    return matcher;
}

/* The search. */

bool regex_overspent(struct search *s)
{
    s->timed = (uint64_t)(clock_thread_us() - s->started_us) * STEPS_PER_US;
    return s->spent >= s->most || s->timed >= s->most_timed;
}

/*
 * Called before a back-reference is followed (regex_ecma.c writes a callout there). To follow one
 * may compare half of the text, and PCRE2 does not count that as a step.
 */
static int on_reference(pcre2_callout_block *block, void *data)
{
    struct search *s = data;

    (void)block;
    return s->most > 0 && ++s->references % REFERENCES == 0 && regex_overspent(s)
               ? PCRE2_ERROR_CALLOUT
               : 0;
}

/* Keep what a run of PCRE2 has captured. */
static void take_groups(const struct search *s, pcre2_match_data *data, int rc)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);

    if (rc < 0 || !s->groups)
        return;
    for (size_t i = 0; i < REGEX_GROUPS; i++)
        s->groups[i] = i <= s->regex->group_count && (rc == 0 || i < (size_t)rc)
                           ? (struct regex_span){ ends[2 * i], ends[2 * i + 1] }
                           : (struct regex_span){ REGEX_NO_SPAN, REGEX_NO_SPAN };
}

/* One run of PCRE2's interpreter. The memory for a pattern with references is freed after it. */
static int interpret(const struct search *s, size_t from)
{
    pcre2_match_context *context = s->matcher->context;
    pcre2_match_data *data = s->matcher->data;

    if (s->regex->refers) {
        data = pcre2_match_data_create(REGEX_GROUPS, s->matcher->memory);
        (void)pcre2_set_heap_limit(context, REFERRING_HEAP_KIB);
    }

    int rc = pcre2_match(s->regex->code, (PCRE2_SPTR)s->text.ptr, s->text.len, from,
                         PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, context);

    take_groups(s, data, rc);
    if (s->regex->refers) {
        pcre2_match_data_free(data);
        (void)pcre2_set_heap_limit(context, HEAP_KIB);
    }
    return rc;
}

/* One run of PCRE2 from index `from`, with at most `limit` steps from each starting place. */
static int run_from(const struct search *s, size_t from, uint64_t limit)
{
    pcre2_match_context *context = s->matcher->context;
    int rc;

    (void)pcre2_set_match_limit(context, (uint32_t)limit);
    if (UNLIKELY(!s->regex->jit))
        return interpret(s, from);
    rc = pcre2_jit_match(s->regex->code, (PCRE2_SPTR)s->text.ptr, s->text.len, from, 0,
                         s->matcher->data, context);
    if (UNLIKELY(rc == PCRE2_ERROR_JIT_STACKLIMIT && s->regex->refers))
        return interpret(s, from);
    take_groups(s, s->matcher->data, rc);
    return rc;
}

/* The same, for starting places up to index `to`. */
static int run_to(const struct search *s, size_t from, size_t to, uint64_t limit)
{
    (void)pcre2_set_offset_limit(s->matcher->context, to);
    return run_from(s, from, limit);
}

enum regex_verdict regex_verdict_of(int rc)
{
    if (rc >= 0)
        return REGEX_MATCH;
    if (rc == PCRE2_ERROR_NOMATCH)
        return REGEX_NO_MATCH;
    return rc == PCRE2_ERROR_CALLOUT ? REGEX_TOO_EXPENSIVE : REGEX_OVER_LIMIT;
}

static uint64_t first_limit(const struct search *s)
{
    size_t limit = (s->regex->anchored ? ANCHORED_WORK : FIRST_WORK) / (s->text.len + 1);

    if (limit > FIRST_LIMIT)
        return FIRST_LIMIT;
    return limit < LEAST_FIRST_LIMIT ? LEAST_FIRST_LIMIT : limit;
}

/* Does it match at index `at`? Tried with growing limits until the answer is known. */
static enum regex_verdict try_place(struct search *s, size_t at)
{
    for (uint64_t limit = first_limit(s);; limit *= LIMIT_GROWTH) {
        if (limit > s->most - s->spent)
            limit = s->most - s->spent;

        int rc = run_to(s, at, at, limit);

        if (rc != PCRE2_ERROR_MATCHLIMIT)
            return regex_verdict_of(rc);
        s->spent += limit;
        if (regex_overspent(s))
            return REGEX_TOO_EXPENSIVE;
    }
}

static enum regex_verdict try_places(struct search *s, size_t from, size_t to)
{
    for (size_t at = from; at <= to; at = utf8_next(s->text, at)) {
        enum regex_verdict verdict = try_place(s, at);

        if (verdict != REGEX_NO_MATCH || s->regex->anchored)
            return verdict;
        s->spent += STEPS_PER_PLACE;
        if (regex_overspent(s))
            return REGEX_TOO_EXPENSIVE;
    }
    return REGEX_NO_MATCH;
}

static enum regex_verdict search_windows(struct search *s)
{
    size_t width = WINDOW_WORK / s->text.len + 1;
    uint64_t limit = first_limit(s);
    size_t to;

    for (size_t from = s->from; from <= s->text.len; from = utf8_next(s->text, to)) {
        to = s->text.len - from < width ? s->text.len : from + width;

        int rc = run_to(s, from, to, limit);
        enum regex_verdict verdict =
            rc == PCRE2_ERROR_MATCHLIMIT ? try_places(s, from, to) : regex_verdict_of(rc);

        if (verdict != REGEX_NO_MATCH)
            return verdict;
        if (regex_overspent(s))
            return REGEX_TOO_EXPENSIVE;
    }
    return REGEX_NO_MATCH;
}

/* The search with all steps counted. */
static enum regex_verdict search_carefully(struct search *s)
{
    bool windows = s->text.len > WHOLE_TEXT && !s->regex->anchored;
    enum regex_verdict verdict = windows ? search_windows(s) : try_places(s, s->from, s->text.len);

    (void)pcre2_set_offset_limit(s->matcher->context, PCRE2_UNSET);
    return verdict;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What was spent so far, by steps or by time. */
static uint64_t spent_so_far(const struct search *s)
{
    return s->timed > s->spent ? s->timed : s->spent;
}

/* Set the bounds of the search, and the start of its time. */
static void begin_counting(struct search *s, uint64_t steps, uint64_t allowed)
{
    uint64_t most = steps + s->regex->steps_per_byte * (uint64_t)s->text.len;

    s->spent = spent_so_far(s);
    s->timed = 0;
    s->most = lesser(most, allowed);
    s->most_timed = lesser(most + NOISE_STEPS, allowed);
    s->started_us = clock_thread_us();
}

/* The interpreter is slower, and only backtracking can follow back-references. */
static uint64_t steps_for_backtracking(const struct search *s)
{
    bool whole = s->text.len <= WHOLE_TEXT || s->regex->anchored;
    bool slow = s->regex->refers && !s->regex->jit;

    return whole && !slow ? SEARCH_STEPS : SLOW_SEARCH_STEPS;
}

/*
 * Without JIT each run searches the whole rest of the text for a first character, so that windows
 * do not bound its time.
 */
static bool skips_backtracking(const struct search *s)
{
    return !s->regex->jit && s->regex->breadth && !s->regex->anchored && s->text.len > WHOLE_TEXT;
}

static enum regex_verdict search_code(struct search *s, uint64_t allowed)
{
    enum regex_verdict verdict = REGEX_OVER_LIMIT;
    int rc = PCRE2_ERROR_MATCHLIMIT;

    if (UNLIKELY(s->regex->refers))
        (void)pcre2_set_callout(s->matcher->context, on_reference, s);
    if (s->text.len <= WHOLE_TEXT) {
        rc = run_from(s, s->from, first_limit(s));
        if (LIKELY(rc >= 0 || rc == PCRE2_ERROR_NOMATCH))
            return regex_verdict_of(rc);
    }
    if (rc == PCRE2_ERROR_MATCHLIMIT && !skips_backtracking(s)) {
        begin_counting(s, steps_for_backtracking(s), allowed);
        verdict = search_carefully(s);
    }
    if (verdict != REGEX_OVER_LIMIT || !s->regex->breadth)
        return verdict;
    begin_counting(s, SLOW_SEARCH_STEPS, allowed);
    return regex_breadth_search(s);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the pattern was divided */
static enum regex_verdict search_parts(const struct regex *regex, struct str text, uint64_t *steps)
{
    enum regex_verdict verdict = regex_search(regex->parts[0], text, steps);

    return verdict == REGEX_NO_MATCH ? regex_search(regex->parts[1], text, steps) : verdict;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
enum regex_verdict regex_search(const struct regex *regex, struct str text, uint64_t *steps)
{
    struct search s = { .regex = regex, .text = text.ptr ? text : STR("") };
    uint64_t allowed = steps ? *steps : UINT64_MAX;
    enum regex_verdict verdict;

    if (allowed == 0)
        return REGEX_TOO_EXPENSIVE;
    if (UNLIKELY(regex->parts[0]))
        return search_parts(regex, text, steps);
    if (!regex->code) {
        verdict = regex_literal_search(&regex->literal, s.text) ? REGEX_MATCH : REGEX_NO_MATCH;
    } else {
        s.matcher = thread_matcher ? thread_matcher : matcher_create();
        verdict = search_code(&s, allowed);
    }
    s.spent = spent_so_far(&s) + 1 + text.len / BYTES_PER_STEP;
    if (steps)
        *steps = s.spent < allowed ? allowed - s.spent : 0;
    return verdict;
}

enum regex_verdict regex_match(const struct regex *regex, struct str text, size_t from,
                               uint64_t *steps, struct regex_span groups[static REGEX_GROUPS])
{
    struct search s = { .regex = regex,
                        .text = text.ptr ? text : STR(""),
                        .from = from,
                        .groups = groups,
                        .matcher = thread_matcher ? thread_matcher : matcher_create() };
    enum regex_verdict verdict = REGEX_TOO_EXPENSIVE;
    size_t end = text.len;

    if (*steps == 0)
        return verdict;
    verdict = search_code(&s, *steps);
    if (verdict == REGEX_MATCH)
        end = groups[0].end;
    s.spent = spent_so_far(&s) + 1 + (end > from ? end - from : 0) / BYTES_PER_STEP;
    *steps = s.spent < *steps ? *steps - s.spent : 0;
    return verdict;
}
