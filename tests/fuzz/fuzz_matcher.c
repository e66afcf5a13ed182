/*
 * fuzz_matcher.c - whatever the pattern and the event: what is known before the event is tried, the
 * verdict and its explanation agree.
 *
 * The input is `match` or `pattern` as JSON, a newline, the event.
 */
#include <assert.h>
#include <stdint.h>

#include "handlers/matcher.h"

/* May the member have this string, by what is known before the event? */
static bool may_be(const struct matcher *matcher, enum matcher_member member, struct str text)
{
    size_t count;
    const struct str *texts = matcher_texts(matcher, member, &count);
    bool is_listed = !texts;

    for (size_t i = 0; texts && i < count; i++)
        is_listed = is_listed || str_equal(texts[i], text);
    return is_listed && matcher_meets(matcher, matcher_members[member], text);
}

/* Do texts, quick check and explanation agree with the verdict? */
static void check_verdict(const struct matcher *matcher, const struct flat *event,
                          struct arena *arena)
{
    const struct flat *values[MATCHER_MEMBERS];
    struct matcher_miss miss = { 0 };
    bool fits = matcher_fits(matcher, event);

    for (size_t i = 0; i < MATCHER_MEMBERS; i++) {
        values[i] = flat_find(event, matcher_members[i]);
        assert(!fits || !values[i] || !flat_is_string(values[i]) ||
               may_be(matcher, (enum matcher_member)i, flat_str(values[i])));
    }
    assert(!fits || matcher_may_fit(matcher, values));
    assert(matcher_explain(matcher, event, arena, &miss) == !fits);
    assert(fits || (miss.key.ptr && miss.found));
}

static void check_event(struct str settings, bool is_pattern, const struct flat *event,
                        struct arena *arena)
{
    const struct matcher_options options = { is_pattern ? STR("") : settings,
                                             is_pattern ? settings : STR("") };
    struct matcher *matcher = NULL;
    struct error err = { 0 };
    const struct pattern_report report = { .problem = pattern_first_problem, .self = &err };

    if (!matcher_create(&options, &report, &matcher)) {
        assert(err.code == ERR_INVALID && *err.text);
        return;
    }
    assert(matcher_covers(matcher, matcher));
    check_verdict(matcher, event, arena);
    matcher_destroy(matcher);
}

/* Can it be a `match`, as the configuration checks? */
static bool is_match(struct str settings, struct arena *arena)
{
    const struct flat *tree;
    struct error err;

    if (!flat_read(arena, settings, NULL, &tree, &err) || !flat_is_object(tree))
        return false;
    for (FLAT_EACH(member, tree)) {
        if (flat_is_object(member) || flat_kind(member) == JSON_NULL)
            return false;
        for (uint32_t i = 1; i < member->size; i++)
            if (flat_is_object(member + i) || flat_is_array(member + i) ||
                flat_kind(member + i) == JSON_NULL)
                return false;
    }
    return true;
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's choice */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = { (const char *)data, size };
    const char *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    struct str settings = { input.ptr, newline ? (size_t)(newline - input.ptr) : size };
    struct str text = newline ? str_from(input, settings.len + 1) : STR("{}");
    struct arena *arena = arena_create();
    const struct flat *event = NULL;
    struct error err;

    if (flat_read(arena, text, NULL, &event, &err) && flat_is_object(event)) {
        check_event(settings, true, event, arena);
        if (is_match(settings, arena))
            check_event(settings, false, event, arena);
    }
    arena_destroy(arena);
    return 0;
}
