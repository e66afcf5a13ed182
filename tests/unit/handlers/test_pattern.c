/*
 * test_pattern.c - event patterns: what fits, and what is refused.
 */
#include "handlers/pattern.h"

#include "tests/unit/test.h"

static struct pattern *compile(struct arena *arena, const char *text, struct error *err)
{
    const struct pattern_report report = { .problem = pattern_first_problem, .self = err };
    const struct flat *source = NULL;
    struct pattern *pattern = NULL;

    CHECK(flat_read(arena, str_from_c(text), NULL, &source, err));
    return pattern_create(source, &report, &pattern) ? pattern : NULL;
}

struct row {
    const char *pattern;
    const char *fits;     /* events, one a line; NULL: none */
    const char *does_not; /* likewise */
};

static void check_events(struct arena *arena, const struct pattern *pattern, const char *events,
                         bool expected)
{
    for (const char *end; events; events = end) {
        const struct flat *event = NULL;
        struct error err = { 0 };
        struct str line = { events, strcspn(events, "\n") };

        end = events[line.len] ? events + line.len + 1 : NULL;
        TEST_CASE(arena_copy(arena, line).ptr);
        CHECK(flat_read(arena, line, NULL, &event, &err));
        CHECK_INT(pattern_fits(pattern, event), expected);
    }
}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena *arena = arena_create();
        struct error err = { 0 };
        struct pattern *pattern;

        TEST_CASE(rows[i].pattern);
        pattern = compile(arena, rows[i].pattern, &err);
        CHECK_STR(str_from_c(err.text), "");
        if (pattern) {
            check_events(arena, pattern, rows[i].fits, true);
            check_events(arena, pattern, rows[i].does_not, false);
        }
        pattern_destroy(pattern);
        arena_destroy(arena);
    }
}

static void values_are_compared(void)
{
    static const struct row rows[] = {
        { "{\"a\":[\"x\",\"y\"]}", "{\"a\":\"x\"}\n{\"a\":[\"z\",[\"y\"]]}\n{\"b\":1,\"a\":\"y\"}",
          "{}\n{\"a\":\"X\"}\n{\"a\":{\"x\":\"x\"}}\n{\"a\":[]}\n[\"x\"]\n\"x\"" },
        { "{\"a\":[null,true,false,\"\"]}",
          "{\"a\":null}\n{\"a\":true}\n{\"a\":false}\n{\"a\":\"\"}",
          "{\"a\":\"null\"}\n{\"a\":0}\n{}" },
        { "{\"a\":[300,0]}", "{\"a\":3.0e2}\n{\"a\":3000e-1}\n{\"a\":-0.0}\n{\"a\":300}",
          "{\"a\":\"300\"}\n{\"a\":3001e-1}\n{\"a\":300.00000000000000000001}" },
        { "{\"a\":[12345678901234567890,1e400]}", "{\"a\":12345678901234567890}\n{\"a\":1e400}",
          "{\"a\":12345678901234567891}\n{\"a\":1234567890123456789e1}\n{\"a\":10e399}" },
        { "{\"a\":[{\"prefix\":\"ab\"},{\"suffix\":\"yz\"}]}",
          "{\"a\":\"ab\"}\n{\"a\":\"abc\"}\n{\"a\":\"yz\"}\n{\"a\":\"xyz\"}",
          "{\"a\":\"Abc\"}\n{\"a\":\"yzx\"}\n{\"a\":\"a\"}\n{\"a\":5}" },
        { "{\"a\":[{\"prefix\":\"\"}]}", "{\"a\":\"\"}\n{\"a\":\"x\"}", "{\"a\":1}\n{\"a\":null}" },
        { "{\"a\":[{\"equals-ignore-case\":\"\u00c9\u044f\u2c65k\"}]}",
          "{\"a\":\"\u00e9\u042f\u023aK\"}\n{\"a\":\"\u00c9\u044f\u2c65k\"}",
          "{\"a\":\"\u00e9\u042f\u023a\u212a\"}\n{\"a\":\"e\u044f\u2c65k\"}\n{\"a\":"
          "\"\u00e9\u042f\u023aKx\"}" },
        { "{\"a\":[{\"prefix\":{\"equals-ignore-case\":\"Ab\"}},{\"suffix\":{\"equals-ignore-"
          "case\":"
          "\"\u2c65z\"}}]}",
          "{\"a\":\"aBc\"}\n{\"a\":\"x\u023aZ\"}", "{\"a\":\"xab\"}\n{\"a\":\"\u023aZx\"}" },
        { "{\"a\":[{\"wildcard\":\"a*b\\\\*c*\"}]}", "{\"a\":\"ab*c\"}\n{\"a\":\"a?b\\nb*cz\"}",
          "{\"a\":\"abc\"}\n{\"a\":\"xab*c\"}\n{\"a\":\"ab*\"}" },
        { "{\"a\":[{\"wildcard\":\"ab*ba\"}]}", "{\"a\":\"abba\"}\n{\"a\":\"abxba\"}",
          "{\"a\":\"aba\"}" },
        { "{\"a\":[{\"wildcard\":\"*\"}]}", "{\"a\":\"\"}\n{\"a\":\"x\"}", "{\"a\":1}" },
        { "{\"a\":[{\"wildcard\":\"x?\"}]}", "{\"a\":\"x?\"}", "{\"a\":\"xy\"}" },
        { "{\"a\":[{\"numeric\":[\">\",0,\"<=\",5]}]}", "{\"a\":5}\n{\"a\":5.0e0}\n{\"a\":0.1}",
          "{\"a\":0}\n{\"a\":5.0001}\n{\"a\":\"3\"}\n{\"a\":1e400}\n{\"a\":2."
          "00000000000000000001}" },
        { "{\"a\":[{\"numeric\":[\"=\",3.0e2]},{\"numeric\":[\"<\",-1]}]}",
          "{\"a\":300}\n{\"a\":-1.5}", "{\"a\":301}\n{\"a\":-1}" },
        { "{\"a\":[{\"cidr\":\"10.0.1.77/25\"},{\"cidr\":\"2001:db8::/33\"}]}",
          "{\"a\":\"10.0.1.0\"}\n{\"a\":\"10.0.1.127\"}\n{\"a\":\"2001:DB8:0::1\"}",
          "{\"a\":\"10.0.1.128\"}\n{\"a\":\"10.0.1.1/32\"}\n{\"a\":\" 10.0.1.1\"}\n"
          "{\"a\":\"2001:db8:8000::1\"}\n{\"a\":167772161}" },
    };

    check_rows(rows, COUNT_OF(rows));
}

static void anything_but_wants_a_value_that_is_none_of_them(void)
{
    static const struct row rows[] = {
        { "{\"a\":[{\"anything-but\":\"x\"}]}",
          "{\"a\":\"y\"}\n{\"a\":\"\"}\n{\"a\":null}\n{\"a\":1}\n{\"a\":[\"x\",\"y\"]}",
          "{\"a\":\"x\"}\n{}\n{\"a\":[]}\n{\"a\":{}}\n{\"a\":{\"b\":1}}\n{\"a\":[\"x\"]}" },
        { "{\"a\":[{\"anything-but\":[5,6]}]}", "{\"a\":\"5\"}\n{\"a\":7}\n{\"a\":1e400}",
          "{\"a\":5.0}\n{\"a\":6}" },
        { "{\"a\":[{\"anything-but\":{\"prefix\":[\"x\",\"y\"]}}]}", "{\"a\":\"z\"}\n{\"a\":5}",
          "{\"a\":\"xa\"}\n{\"a\":\"y\"}" },
        { "{\"a\":[{\"anything-but\":{\"wildcard\":\"*x*\"}}]}", "{\"a\":\"y\"}",
          "{\"a\":\"yxz\"}" },
        { "{\"a\":[{\"anything-but\":{\"equals-ignore-case\":[\"x\",\"\u00c9\"]}}]}",
          "{\"a\":\"y\"}", "{\"a\":\"X\"}\n{\"a\":\"\u00e9\"}" },
        { "{\"a\":[{\"anything-but\":{\"suffix\":\".log\"}}]}", "{\"a\":\"log\"}",
          "{\"a\":\"a.log\"}" },
    };

    check_rows(rows, COUNT_OF(rows));
}

static void arrays_are_looked_into_but_one_element_must_fit_whole(void)
{
    static const struct row rows[] = {
        { "{\"a\":{\"b\":[1],\"c\":[2]}}",
          "{\"a\":{\"b\":1,\"c\":2}}\n{\"a\":[{\"b\":1},{\"b\":1,\"c\":2}]}\n{\"a\":[[{\"b\":1,"
          "\"c\":[3,2]}]]}",
          "{\"a\":[{\"b\":1,\"c\":3},{\"b\":3,\"c\":2}]}\n{\"a\":[{\"b\":1},{\"c\":2}]}\n{\"a\":[]}"
          "\n{\"a\":1}" },
        { "{\"a\":{\"b\":{\"c\":[1]},\"d\":{\"e\":[2]}}}",
          "{\"a\":[{\"b\":[{\"c\":0},{\"c\":1}],\"d\":[{\"e\":2}]}]}",
          "{\"a\":[{\"b\":[{\"c\":1}],\"d\":[]},{\"d\":[{\"e\":2}]}]}" },
        { "{\"a\":{\"b\":[1]},\"c\":{\"d\":[2]}}",
          "{\"a\":[{\"b\":0},{\"b\":1}],\"c\":[{\"d\":2},{}]}",
          "{\"a\":[{\"b\":1}],\"c\":[{\"b\":2}]}" },
    };

    check_rows(rows, COUNT_OF(rows));
}

static void exists_is_about_scalars(void)
{
    static const struct row rows[] = {
        { "{\"a\":[{\"exists\":true}]}", "{\"a\":null}\n{\"a\":[{\"w\":1},2]}\n{\"a\":\"\"}",
          "{}\n{\"a\":[]}\n{\"a\":{}}\n{\"a\":[[]]}\n{\"a\":[{}]}\n{\"a\":{\"w\":1}}" },
        { "{\"a\":[{\"exists\":false}]}", "{}\n{\"a\":[]}\n{\"a\":{}}\n{\"a\":{\"w\":1}}",
          "{\"a\":null}\n{\"a\":[[0]]}" },
        { "{\"a\":{\"b\":[{\"exists\":false}]}}", "{}\n{\"a\":1}\n{\"a\":[1]}\n{\"a\":{\"c\":1}}",
          "{\"a\":{\"b\":1}}\n{\"a\":[{\"c\":1},{\"b\":1}]}" },
        { "{\"a\":{\"b\":[{\"exists\":false}],\"c\":[1]}}", "{\"a\":[{\"b\":1},{\"c\":1}]}",
          "{\"a\":[{\"b\":1,\"c\":1},{\"c\":2}]}" },
        { "{\"a\":{\"b\":[{\"exists\":false},\"x\"],\"c\":[1]}}",
          "{\"a\":{\"c\":1}}\n{\"a\":{\"b\":\"x\",\"c\":1}}",
          "{\"a\":{\"b\":\"y\",\"c\":1}}\n{\"a\":{}}\n{}" },
    };

    check_rows(rows, COUNT_OF(rows));
}

static void one_branch_of_or_is_enough(void)
{
    static const struct row rows[] = {
        { "{\"$or\":[{\"a\":[1]},{\"b\":[2],\"c\":[3]}],\"d\":[4]}",
          "{\"a\":1,\"d\":4}\n{\"b\":2,\"c\":3,\"d\":4}",
          "{\"a\":1}\n{\"b\":2,\"d\":4}\n{\"d\":4}" },
        { "{\"x\":{\"$or\":[{\"a\":[1]},{\"b\":[2]}],\"c\":[3]}}",
          "{\"x\":[{\"a\":1},{\"b\":2,\"c\":3}]}", "{\"x\":[{\"a\":1},{\"c\":3}]}" },
        { "{\"$or\":[{\"$or\":[{\"a\":[1]},{\"a\":[2]}]},{\"b\":[{\"exists\":false}]}]}",
          "{\"a\":2,\"b\":1}\n{\"a\":3}", "{\"a\":3,\"b\":1}" },
        { "{\"$or\":[1,2]}", "{\"$or\":2}", "{}" }, /* a field of this name */
        { "{\"prefix\":[\"x\"]}", "{\"prefix\":\"x\"}", "{}" },
    };

    check_rows(rows, COUNT_OF(rows));
}

/* The cases that AWS's documentation shows for each operator, with values of our own. */
static const struct row documented[] = {
    { "{\"source\":[\"aws.ec2\"]}", "{\"source\":\"aws.ec2\",\"detail\":{}}",
      "{\"source\":\"aws.ecs\"}" },
    { "{\"detail\":{\"responseElements\":[null]}}", "{\"detail\":{\"responseElements\":null}}",
      "{\"detail\":{\"responseElements\":\"\"}}\n{\"detail\":{}}" },
    { "{\"detail\":{\"eventName\":[\"\"]}}", "{\"detail\":{\"eventName\":\"\"}}",
      "{\"detail\":{\"eventName\":null}}\n{\"detail\":{\"eventName\":\"x\"}}" },
    { "{\"time\":[{\"prefix\":\"2026-11-2\"}]}", "{\"time\":\"2026-11-20T08:00:00Z\"}",
      "{\"time\":\"2026-10-20T08:00:00Z\"}" },
    { "{\"detail\":{\"service\":[{\"prefix\":{\"equals-ignore-case\":\"EventB\"}}]}}",
      "{\"detail\":{\"service\":\"eventbridge\"}}\n{\"detail\":{\"service\":\"EVENTBUS\"}}",
      "{\"detail\":{\"service\":\"an eventbus\"}}" },
    { "{\"detail\":{\"file\":[{\"suffix\":\".png\"}]}}", "{\"detail\":{\"file\":\"a.png\"}}",
      "{\"detail\":{\"file\":\"a.PNG\"}}" },
    { "{\"detail\":{\"file\":[{\"suffix\":{\"equals-ignore-case\":\".png\"}}]}}",
      "{\"detail\":{\"file\":\"a.PNG\"}}", "{\"detail\":{\"file\":\"a.png.gz\"}}" },
    { "{\"detail\":{\"state\":[{\"anything-but\":\"initializing\"}]}}",
      "{\"detail\":{\"state\":\"running\"}}",
      "{\"detail\":{\"state\":\"initializing\"}}\n{\"detail\":{}}" },
    { "{\"detail\":{\"limit\":[{\"anything-but\":[100,200,300]}]}}", "{\"detail\":{\"limit\":400}}",
      "{\"detail\":{\"limit\":200.0}}" },
    { "{\"detail\":{\"state\":[{\"anything-but\":{\"equals-ignore-case\":[\"initializing\","
      "\"stopped\"]}}]}}",
      "{\"detail\":{\"state\":\"running\"}}", "{\"detail\":{\"state\":\"STOPPED\"}}" },
    { "{\"detail\":{\"state\":[{\"anything-but\":{\"prefix\":\"init\"}}]}}",
      "{\"detail\":{\"state\":\"running\"}}", "{\"detail\":{\"state\":\"initializing\"}}" },
    { "{\"detail\":{\"file\":[{\"anything-but\":{\"suffix\":[\".txt\",\".rtf\"]}}]}}",
      "{\"detail\":{\"file\":\"a.pdf\"}}", "{\"detail\":{\"file\":\"a.rtf\"}}" },
    { "{\"detail\":{\"path\":[{\"anything-but\":{\"wildcard\":[\"*/lib/*\",\"*/bin/*\"]}}]}}",
      "{\"detail\":{\"path\":\"/usr/share/x\"}}", "{\"detail\":{\"path\":\"/usr/lib/x\"}}" },
    { "{\"detail\":{\"c-count\":[{\"numeric\":[\">\",0,\"<=\",5]}],\"d-count\":[{\"numeric\":["
      "\"<\",10]}],\"x-limit\":[{\"numeric\":[\"=\",3.018e2]}]}}",
      "{\"detail\":{\"c-count\":5,\"d-count\":-1,\"x-limit\":301.8}}",
      "{\"detail\":{\"c-count\":0,\"d-count\":-1,\"x-limit\":301.8}}\n"
      "{\"detail\":{\"c-count\":5,\"d-count\":10,\"x-limit\":301.8}}\n"
      "{\"detail\":{\"c-count\":5,\"d-count\":-1,\"x-limit\":301}}" },
    { "{\"detail\":{\"sourceIPAddress\":[{\"cidr\":\"10.0.0.0/24\"}]}}",
      "{\"detail\":{\"sourceIPAddress\":\"10.0.0.255\"}}",
      "{\"detail\":{\"sourceIPAddress\":\"10.0.1.0\"}}" },
    { "{\"detail\":{\"c\":{\"state\":[{\"exists\":true}]}}}",
      "{\"detail\":{\"c\":{\"state\":null}}}", "{\"detail\":{\"c\":{}}}\n{\"detail\":{}}" },
    { "{\"detail\":{\"user\":[{\"equals-ignore-case\":\"Ada\"}]}}",
      "{\"detail\":{\"user\":\"ADA\"}}", "{\"detail\":{\"user\":\"Adam\"}}" },
    { "{\"detail\":{\"file\":[{\"wildcard\":\"dir/*/x.png\"}]}}",
      "{\"detail\":{\"file\":\"dir/a/b/x.png\"}}", "{\"detail\":{\"file\":\"dir/x.png\"}}" },
    { "{\"resources\":[{\"wildcard\":\"arn:aws:*:*:*:instance/*\"}]}",
      "{\"resources\":[\"x\",\"arn:aws:ec2:eu-west-1:1:instance/i-1\"]}",
      "{\"resources\":[]}\n{\"resources\":[\"arn:aws:ec2:eu-west-1:1:volume/i-1\"]}" },
    { "{\"detail\":{\"$or\":[{\"c\":[{\"numeric\":[\">\",0]}]},{\"d\":[{\"numeric\":[\"<\",10]}"
      "]},"
      "{\"x\":[300]}]}}",
      "{\"detail\":{\"c\":1}}\n{\"detail\":{\"c\":-1,\"d\":9}}\n{\"detail\":{\"x\":300}}",
      "{\"detail\":{\"c\":0,\"d\":10,\"x\":1}}" },
    { "{\"source\":[\"shop\"],\"detail\":{\"address\":[{\"cidr\":\"10.0.0.0/8\"}],"
      "\"state\":[\"new\",{\"anything-but\":[\"old\",\"new\"]}],\"n\":[{\"numeric\":[\">=\",1]}"
      "]}}",
      "{\"source\":\"shop\",\"detail\":{\"address\":\"10.1.2.3\",\"state\":\"x\",\"n\":1}}",
      "{\"source\":\"shop\",\"detail\":{\"address\":\"10.1.2.3\",\"state\":\"old\",\"n\":1}}" },
};

static void examples_of_the_documentation_fit(void)
{
    check_rows(documented, COUNT_OF(documented));
}

static const struct {
    const char *pattern;
    const char *problems; /* one a line */
} refused[] = {
    { "[]", "/x: a pattern is an object" },
    { "{}", "/x: the object is empty" },
    { "{\"a\":{\"b/c\":{}}}", "/x/a/b~1c: the object is empty" },
    { "{\"a\":\"x\"}", "/x/a: a field takes a list or an object" },
    { "{\"a\":[]}", "/x/a: the list is empty" },
    { "{\"a\":[[1]]}", "/x/a/0: a list must not contain a list" },
    { "{\"a\":[{}]}", "/x/a/0: an operator is an object with one key" },
    { "{\"a\":[{\"prefix\":\"x\",\"suffix\":\"y\"}]}",
      "/x/a/0: an operator is an object with one key" },
    { "{\"a\":[{\"startswith\":\"x\"}]}", "/x/a/0: startswith is no operator" },
    { "{\"$or\":[{\"a\":[1]},{\"b\":1}]}", "/x/$or/1/b: a field takes a list or an object" },
    { "{\"a\":[{\"exists\":1}]}", "/x/a/0: exists takes true or false" },
    { "{\"a\":[{\"prefix\":[\"x\"]}]}", "/x/a/0: prefix takes a string" },
    { "{\"a\":[{\"suffix\":{\"wildcard\":\"x\"}}]}",
      "/x/a/0: suffix takes a string or equals-ignore-case" },
    { "{\"a\":[{\"equals-ignore-case\":5}]}", "/x/a/0: equals-ignore-case takes a string" },
    { "{\"a\":[{\"wildcard\":\"a**\"}]}", "/x/a/0: in wildcard, two * must not follow each other" },
    { "{\"a\":[{\"wildcard\":\"a\\\\\"}]}",
      "/x/a/0: in wildcard, only * or \\ may follow a backslash" },
    { "{\"a\":[{\"wildcard\":\"\\\\x\"}]}",
      "/x/a/0: in wildcard, only * or \\ may follow a backslash" },
    { "{\"a\":[{\"cidr\":\"10.0.0.1\"}]}", "/x/a/0: cidr takes a block as 10.0.0.0/24" },
    { "{\"a\":[{\"cidr\":\"10.0.0.0/33\"}]}", "/x/a/0: cidr takes a block as 10.0.0.0/24" },
    { "{\"a\":[{\"cidr\":\"10.0.0.0/\"}]}", "/x/a/0: cidr takes a block as 10.0.0.0/24" },
    { "{\"a\":[{\"cidr\":\"10.0.0.0/2x\"}]}", "/x/a/0: cidr takes a block as 10.0.0.0/24" },
    { "{\"a\":[{\"numeric\":[\">\"]}]}",
      "/x/a/0: numeric takes one or two comparisons, as [\">\", 0, \"<\", 5]" },
    { "{\"a\":[{\"numeric\":[\">\",\"5\"]}]}",
      "/x/a/0: in numeric, a number must follow each of = < <= > >=" },
    { "{\"a\":[{\"numeric\":[\"!=\",5]}]}",
      "/x/a/0: in numeric, = stands alone, and > comes before <" },
    { "{\"a\":[{\"numeric\":[\"<\",5,\">\",0]}]}",
      "/x/a/0: in numeric, = stands alone, and > comes before <" },
    { "{\"a\":[{\"numeric\":[\">=\",5,\"<=\",5]}]}",
      "/x/a/0: in numeric, the lower bound must be below the upper one" },
    { "{\"a\":[{\"numeric\":[\"<\",1e400]}]}",
      "/x/a/0: in numeric, a number does not fit a double" },
    { "{\"a\":[{\"anything-but\":[]}]}", "/x/a/0: a list inside anything-but is empty" },
    { "{\"a\":[{\"anything-but\":null}]}", "/x/a/0: anything-but takes strings or numbers" },
    { "{\"a\":[{\"anything-but\":[\"x\",1]}]}",
      "/x/a/0: anything-but takes all strings or all numbers" },
    { "{\"a\":[{\"anything-but\":1e400}]}",
      "/x/a/0: in anything-but, a number does not fit a double" },
    { "{\"a\":[{\"anything-but\":{\"prefix\":\"\"}}]}",
      "/x/a/0: prefix must not be empty inside anything-but" },
    { "{\"a\":[1,{\"prefix\":2},[3],{\"exists\":4}],\"b\":{},\"$or\":[{\"c\":[]},{\"d\":5}]}",
      "/x/a/1: prefix takes a string\n/x/a/2: a list must not contain a list\n"
      "/x/a/3: exists takes true or false\n/x/b: the object is empty\n"
      "/x/$or/0/c: the list is empty\n/x/$or/1/d: a field takes a list or an object" },
    { "{\"a\":[{\"anything-but\":{\"numeric\":[\"=\",1]}}]}",
      "/x/a/0: anything-but takes one of prefix, suffix, equals-ignore-case, wildcard" },
};

static void add_problem(void *problems, struct str place, const char *reason)
{
    struct buf *list = problems;

    buf_printf(list, "%s%.*s: %s", list->len > 0 ? "\n" : "", STR_ARG(place), reason);
}

static void each_problem_of_a_pattern_is_reported_with_its_place(void)
{
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct arena *arena = arena_create();
        struct buf *problems = arena_buf(arena, SIZE_MAX);
        const struct pattern_report report = { STR("/x"), add_problem, problems };
        const struct flat *source = NULL;
        struct pattern *pattern = NULL;
        struct error err = { 0 };

        TEST_CASE(refused[i].pattern);
        CHECK(flat_read(arena, str_from_c(refused[i].pattern), NULL, &source, &err));
        CHECK(!pattern_create(source, &report, &pattern));
        CHECK_STR(buf_str(problems), refused[i].problems);
        CHECK(!compile(arena, refused[i].pattern, &err));
        CHECK_INT(err.code, ERR_INVALID);
        arena_destroy(arena);
    }
}

static void add_array(struct buf *event, int number)
{
    buf_printf(event, "%s\"a%d\":[", number ? "," : "", number);
    for (int i = 0; i < 2000; i++)
        buf_printf(event, "%s{\"b\":1%s}", i ? "," : "", number % 2 ? ",\"c\":1" : "");
    buf_add_char(event, ']');
}

/* 40 conditions on arrays of 2,000 objects, the last of which never holds: no backtracking. */
static void time_grows_with_the_size_only(void)
{
    struct arena *arena = arena_create();
    struct buf *pattern = arena_buf(arena, SIZE_MAX);
    struct buf *event = arena_buf(arena, SIZE_MAX);
    const struct flat *value = NULL;
    struct pattern *compiled;
    struct error err = { 0 };

    buf_add_char(pattern, '{');
    buf_add_char(event, '{');
    for (int i = 0; i < 40; i++) {
        buf_printf(pattern, "%s\"a%d\":{\"b\":[%d],\"c\":[{\"exists\":%s}]}", i ? "," : "", i,
                   i < 39, i % 2 ? "true" : "false");
        add_array(event, i);
    }
    buf_add_char(pattern, '}');
    buf_add_char(event, '}');
    compiled = compile(arena, arena_copy(arena, buf_str(pattern)).ptr, &err);
    CHECK(flat_read(arena, buf_str(event), NULL, &value, &err));
    CHECK(compiled && !pattern_fits(compiled, value));
    pattern_destroy(compiled);
    arena_destroy(arena);
}

static void why_an_event_does_not_fit_is_found(void)
{
    static const char pattern_text[] =
        "{\"source\":[\"a\",{\"prefix\":\"b\"}],\"detail\":{\"x/y\":[{\"exists\":false}],"
        "\"in\":{\"n\":[1],\"m\":[2]}},\"$or\":[{\"p\":[1]},{\"q\":[1]}]}";
    static const struct {
        const char *event;
        const char *key; /* NULL: it fits */
        const char *expected;
        int kind; /* of what is found; -1: absent */
    } cases[] = {
        { "{}", "/source", "[\"a\",{\"prefix\":\"b\"}]", -1 },
        { "{\"source\":5}", "/source", "[\"a\",{\"prefix\":\"b\"}]", JSON_INTEGER },
        { "{\"source\":\"a\"}", "/detail/in/n", "[1]", -1 },
        { "{\"source\":\"a\",\"detail\":7}", "/detail/in/n", "[1]", -1 },
        { "{\"source\":\"a\",\"detail\":{\"x/y\":null}}", "/detail/x~1y", "[{\"exists\":false}]",
          JSON_NULL },
        { "{\"source\":\"a\",\"detail\":{\"in\":{\"n\":1,\"m\":\"2\"}}}", "/detail/in/m", "[2]",
          JSON_STRING },
        { "{\"source\":\"a\",\"detail\":{\"in\":[{\"n\":1},{\"m\":2}]}}", "/detail/in", "",
          JSON_ARRAY },
        { "{\"source\":\"a\",\"detail\":{\"in\":{\"n\":1,\"m\":2}}}", "/$or", "", JSON_OBJECT },
        { "{\"source\":\"a\",\"detail\":{\"in\":{\"n\":1,\"m\":2}},\"q\":1}", NULL, "", 0 },
    };
    struct arena *arena = arena_create();
    struct error err = { 0 };
    struct pattern *pattern = compile(arena, pattern_text, &err);

    for (size_t i = 0; pattern && i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct flat *event = NULL;
        struct pattern_miss miss = { 0 };

        TEST_CASE(cases[i].event);
        CHECK(flat_read(arena, str_from_c(cases[i].event), NULL, &event, &err));
        CHECK_INT(pattern_explain(pattern, event, arena, &miss), cases[i].key != NULL);
        CHECK_INT(pattern_fits(pattern, event), cases[i].key == NULL);
        if (!cases[i].key)
            continue;
        CHECK_STR(miss.key, cases[i].key);
        CHECK_STR(miss.expected, cases[i].expected);
        CHECK_INT(miss.found ? (int)flat_kind(miss.found) : -1, cases[i].kind);
    }
    pattern_destroy(pattern);
    arena_destroy(arena);
}

int main(void)
{
    RUN(values_are_compared);
    RUN(anything_but_wants_a_value_that_is_none_of_them);
    RUN(arrays_are_looked_into_but_one_element_must_fit_whole);
    RUN(exists_is_about_scalars);
    RUN(one_branch_of_or_is_enough);
    RUN(examples_of_the_documentation_fit);
    RUN(each_problem_of_a_pattern_is_reported_with_its_place);
    RUN(time_grows_with_the_size_only);
    RUN(why_an_event_does_not_fit_is_found);
    return test_end();
}
