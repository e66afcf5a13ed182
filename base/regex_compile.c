/*
 * regex_compile.c - patterns compiled with PCRE2; see regex.h.
 */
#include "base/buf.h"
#include "base/memory.h"
#include "base/regex_ecma_internal.h"
#include "base/regex_internal.h"

enum {
    MAX_PATTERN = 256 * 1024,
    MAX_REWRITTEN = 4 * 1024 * 1024,
    STEPS_PER_BYTE = 4, /* of text, and ... */
    STEPS_PER_CHOICE =
        2, /* ... for each item of the pattern after which it can go on in two ways */
    CHOICES_MAX = 1000,
};

/* `data`, if any, points to the number of bytes that may still be allocated. */
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

pcre2_general_context *regex_memory(size_t *memory_left)
{
    return pcre2_general_context_create(allocate, release, memory_left);
}

/*
 * PCRE2 wrongly takes (?=a)b?a to need two `a`. In a rewritten pattern the three bytes "(?=" are
 * always a look-ahead. In a pattern without references (each has a callout before it) groups need
 * not be captured, which saves memory.
 */
static uint32_t options_of(struct str rewritten, bool captures)
{
    static const uint32_t always = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
                                   PCRE2_NEVER_BACKSLASH_C | PCRE2_MATCH_UNSET_BACKREF |
                                   PCRE2_USE_OFFSET_LIMIT | PCRE2_NO_UTF_CHECK;
    bool looks_ahead = rewritten.ptr && memmem(rewritten.ptr, rewritten.len, "(?=", 3) != NULL;
    bool refers = rewritten.ptr && memmem(rewritten.ptr, rewritten.len, "(?C)", 4) != NULL;

    return always | (looks_ahead ? PCRE2_NO_START_OPTIMIZE : 0) |
           (refers || captures ? 0 : PCRE2_NO_AUTO_CAPTURE);
}

pcre2_code *regex_code(struct str rewritten, struct regex_mode mode, size_t *memory_left,
                       struct regex_problem *problem)
{
    pcre2_general_context *general = regex_memory(memory_left);
    pcre2_compile_context *context = pcre2_compile_context_create(general);

    /* ECMA has lone surrogates; no text holds one, but classes may span them. */
    (void)pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALLOW_SURROGATE_ESCAPES);

    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)(rewritten.ptr ? rewritten.ptr : ""), rewritten.len,
                      options_of(rewritten, mode.captures) | mode.options, &problem->code,
                      &problem->offset, context);

    pcre2_compile_context_free(context);
    pcre2_general_context_free(general);
    return compiled;
}

static bool fail_compile(struct error *err, struct str pattern, const struct regex_problem *problem)
{
    PCRE2_UCHAR text[128] = "";

    if (problem->code == PCRE2_ERROR_PATTERN_TOO_LARGE)
        return fail(
            err, ERR_MALFORMED,
            "pattern of %zu bytes is too large for PCRE2, which allows 64 KiB when compiled",
            pattern.len);
    (void)pcre2_get_error_message(problem->code, text, sizeof(text));
    return fail(err, ERR_MALFORMED, "at byte %zu: %s", regex_ecma_origin(pattern, problem->offset),
                (const char *)text);
}

/* In a rewritten pattern these bytes have no other meaning. */
static bool looks_around(struct str rewritten)
{
    static const char *const looks[] = { "(?=", "(?!", "(?<" };

    for (size_t i = 0; i < COUNT_OF(looks); i++)
        if (rewritten.ptr && memmem(rewritten.ptr, rewritten.len, looks[i], 3))
            return true;
    return false;
}

/* Each `|`, `?`, `*`, `+`, count and group can make a search try a byte of the text once more. */
static uint32_t count_choices(struct str pattern)
{
    uint32_t choices = 0;

    for (size_t i = 0; i < pattern.len && choices < CHOICES_MAX; i++)
        choices += strchr("|?*+{(", pattern.ptr[i]) != NULL;
    return choices;
}

/* A text matches the pattern when it matches one of the two halves. */
static bool compile_halves(struct regex *regex, struct str pattern, struct error *err)
{
    CLEANUP(buf_done) struct buf left;
    CLEANUP(buf_done) struct buf right;

    buf_init(&left, MAX_PATTERN);
    buf_init(&right, MAX_PATTERN);
    return regex_split(pattern, &left, &right) &&
           regex_create(buf_str(&left), &regex->parts[0], err) &&
           regex_create(buf_str(&right), &regex->parts[1], err);
}

/* NOLINTNEXTLINE(misc-no-recursion): each half is smaller */
static bool compile_regex(struct regex *regex, struct str pattern, struct error *err)
{
    CLEANUP(buf_done) struct buf rewritten;
    struct regex_problem problem;
    uint32_t options = 0;
    uint32_t references = 0;

    buf_init(&rewritten, MAX_REWRITTEN);
    if (!regex_ecma_rewrite(pattern, &rewritten, err))
        return false;
    regex->code =
        regex_code(buf_str(&rewritten), (struct regex_mode){ .captures = regex->captures },
                   &regex->memory_left, &problem);
    if (!regex->code)
        return (problem.code == PCRE2_ERROR_PATTERN_TOO_LARGE && !regex->captures &&
                compile_halves(regex, pattern, err)) ||
               fail_compile(err, pattern, &problem);
    /* Without JIT (memory must not become code, or another processor) the interpreter is used. */
    regex->jit = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_ALLOPTIONS, &options);
    regex->anchored = (options & PCRE2_ANCHORED) != 0;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_BACKREFMAX, &references);
    regex->refers = references > 0;
    regex->looks_around = looks_around(buf_str(&rewritten));
    regex->steps_per_byte = STEPS_PER_BYTE + STEPS_PER_CHOICE * count_choices(pattern);
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->group_count);
    if (!regex->refers && !regex->captures)
        regex->breadth = regex_breadth_create(pattern);
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): each half is smaller */
static bool create_regex(struct str pattern, bool captures, struct regex **out, struct error *err)
{
    struct regex *regex;

    if (pattern.len > MAX_PATTERN)
        return fail(err, ERR_MALFORMED, "pattern longer than %d bytes", MAX_PATTERN);
    regex = mem_alloc(sizeof(*regex));
    regex->memory_left = REGEX_COMPILE_MEMORY;
    regex->captures = captures;
    if ((captures || !regex_literal_init(&regex->literal, pattern)) &&
        !compile_regex(regex, pattern, err)) {
        regex_destroy(regex);
        return false;
    }
    *out = regex;
    return true;
}

bool regex_create(struct str pattern, struct regex **out, struct error *err)
{
    return create_regex(pattern, false, out, err);
}

bool regex_create_capturing(struct str pattern, struct regex **out, struct error *err)
{
    return create_regex(pattern, true, out, err);
}

size_t regex_group_count(const struct regex *regex)
{
    return regex->group_count;
}

void regex_destroy(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    regex_literal_done(&regex->literal);
    regex_destroy(regex->parts[0]);
    regex_destroy(regex->parts[1]);
    regex_breadth_destroy(regex->breadth);
    mem_free(regex);
}

bool regex_is_ecma(struct str pattern)
{
    CLEANUP(buf_done) struct buf rewritten;
    struct error ignored;
    struct regex_problem problem = { 0 };
    size_t memory_left = REGEX_COMPILE_MEMORY;

    buf_init(&rewritten, MAX_REWRITTEN);
    if (pattern.len > MAX_PATTERN || !regex_ecma_rewrite(pattern, &rewritten, &ignored))
        return false;
    /* PCRE2 knows which scripts exist; its other errors are its own limits. */
    pcre2_code_free(
        regex_code(buf_str(&rewritten), (struct regex_mode){ 0 }, &memory_left, &problem));
    return problem.code != PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY;
}

bool regex_has_jit(void)
{
    size_t memory_left = REGEX_COMPILE_MEMORY;
    struct regex_problem problem;
    pcre2_code *code = regex_code(STR("a|b"), (struct regex_mode){ 0 }, &memory_left, &problem);
    bool works = code && pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;

    pcre2_code_free(code);
    return works;
}
