/*
 * test_matcher.c - which events `match` and `pattern` take, and what is known before any comes.
 */
#include "handlers/matcher.h"

#include "tests/unit/test.h"
#include "tests/unit/tree.h"

/* `text` is a `match`, or a `pattern` if `is_pattern`. */
static struct matcher *create(const char *text, bool is_pattern)
{
    const struct matcher_options options = { is_pattern ? STR("") : str_from_c(text),
                                             is_pattern ? str_from_c(text) : STR("") };
    struct matcher *matcher = NULL;
    struct error err = { 0 };
    const struct pattern_report report = { .problem = pattern_first_problem, .self = &err };

    CHECK(matcher_create(&options, &report, &matcher));
    CHECK_STR(str_from_c(err.text), "");
    return matcher;
}

static void what_is_absent_or_no_string_reads_as_empty(void)
{
    static const struct {
        const char *match;
        const char *event;
        bool fits;
    } cases[] = {
        { "{\"source\":\"\"}", "{}", true },
        { "{\"source\":\"\"}", "{\"source\":null}", true },
        { "{\"source\":\"\"}", "{\"source\":5}", true },
        { "{\"source\":\"\"}", "{\"source\":[\"a\"]}", true },
        { "{\"source\":\"\"}", "{\"source\":\"\"}", true },
        { "{\"source\":\"\"}", "{\"source\":\"a\"}", false },
        { "{\"source\":\"*\"}", "{\"source\":5}", true },
        { "{\"source\":\"*\"}", "[]", true },
        { "{\"source\":\"**\"}", "{}", true },
        { "{\"source\":\"*x\"}", "{\"source\":\"xy\"}", false },
        { "{\"source\":\"?*\"}", "{}", false },
        { "{\"source\":\"5\"}", "{\"source\":5}", false },
        { "{\"/a/0/b\":\"x\"}", "{\"a\":[{\"b\":\"x\"}]}", true },
        { "{\"/a~1b\":\"x\"}", "{\"a/b\":\"x\"}", true },
        { "{\"/a/b\":\"\"}", "{\"a\":7}", true },
        { "{\"/Metadata/EventSource\":\"g*\"}", "{\"Metadata\":{\"EventSource\":\"g\"}}", true },
        { "{\"a.b\":\"x\"}", "{\"a\":{\"b\":\"x\"}}", false },
        { "{\"source\":\"{id}\"}", "{\"source\":\"{id}\"}", true },
        { "{\"source\":\"a\"}", "{\"source\":\"a\\u0000b\"}", false },
        { "{\"source\":\"a?b\"}", "{\"source\":\"a\\u0000b\"}", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct matcher *matcher = create(cases[i].match, false);

        TEST_CASE(cases[i].event);
        CHECK_INT(matcher_fits(matcher, tree_of(cases[i].event)), cases[i].fits);
        matcher_destroy(matcher);
    }
    matcher_destroy(NULL);
}

static void numbers_booleans_and_lists_are_compared(void)
{
    static const struct {
        const char *match;
        const char *event;
        bool fits;
    } cases[] = {
        { "{\"/n\":5}", "{\"n\":5}", true },
        { "{\"/n\":5}", "{\"n\":5.0}", true },
        { "{\"/n\":5e0}", "{\"n\":0.5e1}", true },
        { "{\"/n\":12345678901234567890}", "{\"n\":12345678901234567891}", false },
        { "{\"/n\":5}", "{\"n\":\"5\"}", false },
        { "{\"/n\":5}", "{\"n\":true}", false },
        { "{\"/n\":0}", "{}", false },
        { "{\"/n\":0}", "{\"n\":null}", false },
        { "{\"n\":true}", "{\"n\":true}", true },
        { "{\"n\":true}", "{\"n\":false}", false },
        { "{\"n\":false}", "{\"n\":false}", true },
        { "{\"n\":false}", "{\"n\":null}", false },
        { "{\"n\":false}", "{}", false },
        { "{\"n\":[\"a\",5,true]}", "{\"n\":true}", true },
        { "{\"n\":[\"a\",5,true]}", "{\"n\":5}", true },
        { "{\"n\":[\"a\",5,true]}", "{\"n\":\"a\"}", true },
        { "{\"n\":[\"a\",5,true]}", "{\"n\":\"b\"}", false },
        { "{\"n\":[\"a\",\"*\"]}", "{\"n\":[]}", true },
        { "{\"n\":[\"b*\",5],\"m\":1}", "{\"n\":\"bc\",\"m\":2}", false },
        { "{\"n\":[\"b*\",5],\"m\":1}", "{\"n\":\"bc\",\"m\":1}", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct matcher *matcher = create(cases[i].match, false);

        TEST_CASE(cases[i].match);
        CHECK_INT(matcher_fits(matcher, tree_of(cases[i].event)), cases[i].fits);
        matcher_destroy(matcher);
    }
}

static void why_an_event_does_not_match_is_found(void)
{
    static const struct {
        const char *text;
        bool is_pattern;
        const char *event;
        const char *key; /* NULL: it matches */
        const char *expected;
        const char *found;
    } cases[] = {
        { "{\"source\":\"a*\",\"/d/n\":[1,true]}", false, "{\"source\":\"a\",\"d\":{\"n\":1}}",
          NULL, "", "" },
        { "{\"source\":\"a*\"}", false, "{\"source\":\"b\"}", "source", "\"a*\"", "string" },
        { "{\"source\":\"a*\",\"/d/n\":[1,true]}", false, "{\"source\":\"a\",\"d\":{\"n\":1.5}}",
          "/d/n", "[1,true]", "number" },
        { "{\"/d/n\":1}", false, "{\"d\":[]}", "/d/n", "1", "absent" },
        { "{\"d\":{\"n\":[1]}}", true, "{\"d\":{\"n\":{}}}", "/d/n", "[1]", "object" },
        { "{\"d\":{\"n\":[1]}}", true, "{\"d\":{\"n\":1}}", NULL, "", "" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct matcher *matcher = create(cases[i].text, cases[i].is_pattern);
        struct matcher_miss miss = { 0 };

        TEST_CASE(cases[i].event);
        CHECK_INT(matcher_explain(matcher, tree_of(cases[i].event), arena, &miss),
                  cases[i].key != NULL);
        if (cases[i].key) {
            CHECK_STR(miss.key, cases[i].key);
            CHECK_STR(miss.expected, cases[i].expected);
            CHECK_STR(str_from_c(miss.found), cases[i].found);
        }
        matcher_destroy(matcher);
    }
    arena_destroy(arena);
}

static void texts_are_known_where_nothing_else_can_match(void)
{
    static const struct {
        const char *text;
        bool is_pattern;
        int count; /* -1: any text */
    } cases[] = {
        { "{\"source\":\"a\"}", false, 1 },
        { "{\"source\":[\"a\",\"b\"]}", false, 2 },
        { "{\"source\":[\"a\",\"b*\"]}", false, -1 },
        { "{\"source\":\"\"}", false, -1 },
        { "{\"source\":5}", false, -1 },
        { "{\"/source\":\"a\"}", false, -1 },
        { "{}", false, -1 },
        { "{\"source\":[\"a\",\"*\",\"\"]}", true, 3 },
        { "{\"source\":[\"a\",{\"prefix\":\"b\"}]}", true, -1 },
        { "{\"source\":{\"b\":[\"a\"]}}", true, -1 },
        { "{\"$or\":[{\"source\":[\"a\"]},{\"source\":[\"b\"]}]}", true, -1 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct matcher *matcher = create(cases[i].text, cases[i].is_pattern);
        size_t count = 0;
        const struct str *texts = matcher_texts(matcher, MATCHER_SOURCE, &count);

        TEST_CASE(cases[i].text);
        CHECK_INT(texts ? (int64_t)count : -1, cases[i].count);
        CHECK(!matcher_texts(matcher, MATCHER_DETAIL_TYPE, &count));
        matcher_destroy(matcher);
    }
}

static void covering_is_certain(void)
{
    static const struct {
        const char *first;
        const char *later;
        bool is_pattern;
        bool covers;
    } cases[] = {
        { "{}", "{\"a\":\"b\"}", false, true },
        { "{\"a\":5}", "{\"a\":5.0}", false, true },
        { "{\"a\":5}", "{\"a\":\"5\"}", false, false },
        { "{\"a\":\"5\"}", "{\"a\":5}", false, false },
        { "{\"a\":[\"x*\",5]}", "{\"a\":[5,\"xy\"]}", false, true },
        { "{\"a\":[\"x*\",5]}", "{\"a\":[5,\"y\"]}", false, false },
        { "{\"a\":[\"**\",5]}", "{}", false, true },
        { "{\"a\":[5]}", "{}", false, false },
        { "{\"a\":[1]}", "{\"a\":[1]}", true, true },
        { "{\"a\":[1,2]}", "{\"b\":[3],\"a\":[2.0]}", true, true },
        { "{\"a\":[1]}", "{\"a\":[1,2]}", true, false },
        { "{\"a\":[1],\"b\":[1]}", "{\"a\":[1]}", true, false },
        { "{\"a\":{\"b\":[{\"prefix\":\"x\"},\"y\"]}}",
          "{\"a\":{\"b\":[{\"prefix\":\"x\"}],\"c\":[1]}}", true, true },
        { "{\"a\":{\"b\":[1]}}", "{\"a\":[1]}", true, false },
        { "{\"$or\":[{\"a\":[1]},{\"b\":[1]}]}", "{\"$or\":[{\"a\":[1]},{\"b\":[1]}],\"c\":[1]}",
          true, true },
        { "{\"$or\":[{\"a\":[1]},{\"b\":[1]}]}", "{\"$or\":[{\"b\":[1]},{\"c\":[1]}]}", true,
          false },
    };
    struct matcher *all = create("", false);
    struct matcher *pattern = create("{\"a\":[1]}", true);
    struct matcher *match = create("{\"a\":\"*\"}", false);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct matcher *first = create(cases[i].first, cases[i].is_pattern);
        struct matcher *later = create(cases[i].later, cases[i].is_pattern);

        TEST_CASE(cases[i].first);
        CHECK_INT(matcher_covers(first, later), cases[i].covers);
        CHECK(matcher_covers(all, later));
        matcher_destroy(first);
        matcher_destroy(later);
    }
    CHECK(matcher_covers(all, pattern) && !matcher_covers(pattern, all));
    CHECK(matcher_covers(match, pattern) && !matcher_covers(pattern, match));
    matcher_destroy(all);
    matcher_destroy(pattern);
    matcher_destroy(match);
}

static void meeting_is_excluded_only_when_certain(void)
{
    /* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): the table reads better so */
    static const struct {
        const char *text;
        bool is_pattern;
        const char *glob;
        bool meets;
    } cases[] = {
        { "{}", false, "x", true },
        { "{\"source\":\"a*\"}", false, "ab", true },
        { "{\"source\":\"a*\"}", false, "b", false },
        { "{\"source\":[\"c\",5,\"*b\"]}", false, "a*", true },
        { "{\"source\":[\"c\",5]}", false, "a*", false },
        { "{\"source\":[\"a\"]}", true, "a", true },
        { "{\"source\":[\"a\"]}", true, "b", false },
        { "{\"source\":[\"a\"]}", true, "?", true },
        { "{\"source\":[\"a\",5,null]}", true, "b*", false },
        { "{\"source\":[{\"prefix\":\"a\"}]}", true, "ab", true },
        { "{\"source\":[{\"prefix\":\"a\"}]}", true, "b", false },
        { "{\"source\":[{\"prefix\":\"a\"}]}", true, "b*", true },
        { "{\"source\":[{\"anything-but\":\"b\"}]}", true, "b", false },
        { "{\"source\":[{\"anything-but\":\"b\"}]}", true, "c", true },
        { "{\"source\":[{\"exists\":false}]}", true, "c", false },
        { "{\"source\":{\"a\":[1]}}", true, "c", false },
        { "{\"detail\":{\"a\":[1]}}", true, "c", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct matcher *matcher = create(cases[i].text, cases[i].is_pattern);

        TEST_CASE(cases[i].text);
        CHECK_INT(matcher_meets(matcher, STR("source"), str_from_c(cases[i].glob)), cases[i].meets);
        matcher_destroy(matcher);
    }
}

int main(void)
{
    RUN(what_is_absent_or_no_string_reads_as_empty);
    RUN(numbers_booleans_and_lists_are_compared);
    RUN(why_an_event_does_not_match_is_found);
    RUN(texts_are_known_where_nothing_else_can_match);
    RUN(covering_is_certain);
    RUN(meeting_is_excluded_only_when_certain);
    trees_end();
    return test_end();
}
