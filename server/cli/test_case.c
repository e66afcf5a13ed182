/*
 * test_case.c - see test_case.h.
 *
 * The event is run twice, with different times and request ids: what differs between the two
 * records may be left out of the expected one.
 */
#include "server/cli/test_case.h"

#include "base/clock.h"
#include "base/utf8.h"

enum {
    VALUE_MAX = 200, /* bytes of a value that are shown */
    PATH_MAX_BYTES = 1000,
};

/* What one run of the event gave. */
struct answer {
    struct arena *arena;
    int status;
    struct request_note note;
    const struct flat *body;   /* NULL: empty */
    const struct flat *record; /* NULL: none */
};

/* What compares. */
struct comparison {
    struct arena *arena;
    struct buf *out;
    struct buf path; /* of the values at hand, as in record.items[0] */
};

static const struct flat *read_json(struct arena *arena, struct str text)
{
    const struct flat_options options = { .max_depth = JSON_DEPTH_LIMIT };
    const struct flat *tree = NULL;
    struct error ignored;

    return text.len > 0 && flat_read(arena, text, &options, &tree, &ignored) ? tree : NULL;
}

static void keep_record(void *self, const char *step, const struct event *event,
                        const struct error *err)
{
    struct answer *answer = self;

    if (event && !err && strcmp(step, "transform") == 0)
        answer->record = read_json(answer->arena, arena_copy(answer->arena, event->record));
}

static void ask(const struct service *service, struct arena *arena, const struct test_case *test,
                const char *id, struct answer *answer)
{
    const struct event_observer observer = { .step = keep_record, .self = answer };
    struct request request = { .arena = arena,
                               .method = STR("POST"),
                               .path = STR("/events"),
                               .id = str_from_c(id),
                               .body = test->body };
    struct response response = { 0 };
    int64_t before_us = clock_now_us();

    *answer = (struct answer){ .arena = arena };
    while (clock_now_us() == before_us) /* the next run must have another time */
        continue;
    events_answer(service->events, &request, &observer, &response);
    answer->status = response.status;
    answer->note = response.note;
    answer->body = read_json(arena, response.body);
}

/* A value for people; NULL: none. */
static struct str shown(struct arena *arena, const struct flat *value)
{
    struct str text = value ? flat_text(arena, value) : STR("nothing");

    if (text.len <= VALUE_MAX)
        return text;
    text = utf8_prefix(text, VALUE_MAX);
    return arena_printf(arena, "%.*s...", STR_ARG(text));
}

static void complain(struct comparison *comparison, const struct flat *expected,
                     const struct flat *actual)
{
    struct str wanted = shown(comparison->arena, expected);
    struct str got = shown(comparison->arena, actual);

    buf_printf(comparison->out, "%.*s: expected %.*s, got %.*s\n",
               STR_ARG(buf_str(&comparison->path)), STR_ARG(wanted), STR_ARG(got));
}

static void compare(struct comparison *comparison, const struct flat *expected,
                    const struct flat *actual, const struct flat *again);

/* Compare a member or an element, whose name is added to the path. */
static void compare_child(struct comparison *comparison, struct str name,
                          const struct flat *expected, const struct flat *const actual[2])
{
    size_t before = comparison->path.len;

    buf_add(&comparison->path, name);
    if (expected && actual[0])
        compare(comparison, expected, actual[0], actual[1]);
    else
        complain(comparison, expected, actual[0]);
    comparison->path.len = before;
}

static const struct flat *find_in(const struct flat *object, struct str key)
{
    return object && flat_is_object(object) ? flat_find(object, key) : NULL;
}

/* Members that the record has and that are not expected. */
static void compare_surplus(struct comparison *comparison, const struct flat *expected,
                            const struct flat *actual, const struct flat *again)
{
    for (FLAT_EACH(member, actual)) {
        const struct flat *other = find_in(again, flat_key(member));
        bool varies = other && !flat_equal(member, other);

        if (!flat_find(expected, flat_key(member)) && !varies)
            compare_child(comparison,
                          arena_printf(comparison->arena, ".%.*s", STR_ARG(flat_key(member))), NULL,
                          (const struct flat *const[]){ member, other });
    }
}

/* `again` NULL: what is not expected may be there. */
static void compare_objects(struct comparison *comparison, const struct flat *expected,
                            const struct flat *actual, const struct flat *again)
{
    for (FLAT_EACH(member, expected))
        compare_child(comparison,
                      arena_printf(comparison->arena, ".%.*s", STR_ARG(flat_key(member))), member,
                      (const struct flat *const[]){ flat_find(actual, flat_key(member)),
                                                    find_in(again, flat_key(member)) });
    if (again)
        compare_surplus(comparison, expected, actual, again);
}

static void compare_arrays(struct comparison *comparison, const struct flat *expected,
                           const struct flat *actual, const struct flat *again)
{
    const struct flat *right = actual + 1;
    const struct flat *other = again && flat_is_array(again) ? again + 1 : NULL;

    if (flat_count(expected) != flat_count(actual)) {
        complain(comparison, expected, actual);
        return;
    }
    for (FLAT_EACH(element, expected)) {
        compare_child(comparison, arena_printf(comparison->arena, "[%u]", element->index), element,
                      (const struct flat *const[]){ right, other });
        right += right->size;
        other = other ? other + other->size : NULL;
    }
}

static void compare(struct comparison *comparison, const struct flat *expected,
                    const struct flat *actual, const struct flat *again)
{
    if (flat_is_object(expected) && flat_is_object(actual))
        compare_objects(comparison, expected, actual, again);
    else if (flat_is_array(expected) && flat_is_array(actual))
        compare_arrays(comparison, expected, actual, again);
    else if (!flat_equal(expected, actual))
        complain(comparison, expected, actual);
}

static void compare_text(struct comparison *comparison, const char *what, struct str expected,
                         struct str actual)
{
    if (expected.ptr && !str_equal(expected, actual))
        buf_printf(comparison->out, "%s: expected %.*s, got %.*s\n", what, STR_ARG(expected),
                   STR_ARG(actual.ptr ? actual : STR("nothing")));
}

static void compare_whole(struct comparison *comparison, const char *name,
                          const struct flat *expected, const struct flat *const actual[2])
{
    if (!expected)
        return;
    buf_clear(&comparison->path);
    compare_child(comparison, str_from_c(name), expected, actual);
}

static void compare_answer(struct comparison *comparison, const struct test_case *test,
                           const struct answer answers[2])
{
    const struct flat *expect = test->expect;
    const struct flat *status = flat_find(expect, STR("status"));
    const struct answer *answer = &answers[0];
    int64_t wanted = 0;

    if (flat_int64(status, &wanted) && wanted != answer->status)
        buf_printf(comparison->out, "status: expected %lld, got %d\n", (long long)wanted,
                   answer->status);
    compare_text(comparison, "outcome", flat_find_str(expect, STR("outcome")),
                 answer->note.outcome);
    compare_text(comparison, "route", test->route, answer->note.route);
    compare_text(comparison, "route", flat_find_str(expect, STR("route")), answer->note.route);
    compare_whole(comparison, "record", flat_find(expect, STR("record")),
                  (const struct flat *const[]){ answer->record, answers[1].record });
    compare_whole(comparison, "record", flat_find(expect, STR("record_has")),
                  (const struct flat *const[]){ answer->record, NULL });
    compare_whole(comparison, "details", flat_find(expect, STR("details")),
                  (const struct flat *const[]){ find_in(answer->body, STR("details")), NULL });
    compare_whole(comparison, "errors", flat_find(expect, STR("errors")),
                  (const struct flat *const[]){ find_in(answer->body, STR("errors")), NULL });
}

void test_case_run(const struct test_case *test, const struct service *service, struct arena *arena,
                   struct buf *differences)
{
    struct comparison comparison = { .arena = arena, .out = differences };
    struct answer answers[2];
    size_t before = differences->len;

    buf_init(&comparison.path, PATH_MAX_BYTES);
    ask(service, arena, test, "test-1", &answers[0]);
    ask(service, arena, test, "test-2", &answers[1]);
    compare_answer(&comparison, test, answers);
    if (differences->len > before && find_in(answers[0].body, STR("details")) &&
        !flat_find(test->expect, STR("details")))
        buf_printf(differences, "details: %.*s\n",
                   STR_ARG(shown(arena, flat_find(answers[0].body, STR("details")))));
    buf_done(&comparison.path);
}
