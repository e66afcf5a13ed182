/*
 * fuzz_regex.c - the first line of the input is a pattern, the rest a text. What compiles is a
 * regular expression to ECMA too, and a search with it ends within its limits, with the same answer
 * when asked again, and never spends more than it may. What a text matches can match.
 */
#include <assert.h>
#include <time.h>

#include "base/clock.h"
#include "base/regex_internal.h"
#include "base/utf8.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 20000, MAX_SECONDS = 2 };

static bool is_utf8(struct str text)
{
    const unsigned char *at = (const unsigned char *)text.ptr;
    const unsigned char *end = text.len ? at + text.len : at;

    while (at < end) {
        size_t len = utf8_length(at, end);

        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

/* The interpreter and the search without backtracking give the same answer, if any. */
static void check_others(struct regex *regex, struct str text, enum regex_verdict verdict)
{
    struct matcher matcher = {
        .data = pcre2_match_data_create(1, NULL),
        .context = pcre2_match_context_create(NULL),
    };
    struct search search = {
        .regex = regex,
        .matcher = &matcher,
        .text = text.ptr ? text : STR(""),
        .most = STEPS,
        .started_us = clock_thread_us(),
    };
    bool jit = regex->jit;
    enum regex_verdict other;

    regex->jit = false;
    other = regex_search(regex, text, NULL);
    regex->jit = jit;
    assert(verdict > REGEX_NO_MATCH || other > REGEX_NO_MATCH || other == verdict);
    if (regex->breadth) {
        other = regex_breadth_search(&search);
        assert(verdict > REGEX_NO_MATCH || other > REGEX_NO_MATCH || other == verdict);
    }
    pcre2_match_data_free(matcher.data);
    pcre2_match_context_free(matcher.context);
}

static void check_search(struct regex *regex, struct str text, bool can_match)
{
    uint64_t steps = STEPS;
    clock_t start = clock();
    enum regex_verdict bounded = regex_search(regex, text, &steps);
    enum regex_verdict unbounded = regex_search(regex, text, NULL);

    assert(steps < STEPS);
    assert(unbounded != REGEX_MATCH || can_match);
    assert(bounded == unbounded || bounded > REGEX_NO_MATCH || unbounded > REGEX_NO_MATCH);
    assert(clock() - start < (clock_t)MAX_SECONDS * CLOCKS_PER_SEC);
    if (regex->code)
        check_others(regex, text, unbounded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = { (const char *)data, size };
    const char *line = size ? memchr(all.ptr, '\n', size) : NULL;
    struct str pattern = { all.ptr, line ? (size_t)(line - all.ptr) : size };
    struct str text = str_from(all, pattern.len + 1);
    struct regex *regex = NULL;
    struct error err = { 0 };

    if (!regex_create(pattern, &regex, &err)) {
        assert(err.code == ERR_MALFORMED && err.text[0]);
        return 0;
    }
    assert(regex_is_ecma(pattern));
    if (is_utf8(text))
        check_search(regex, text, regex_can_match(pattern));
    regex_destroy(regex);
    return 0;
}
