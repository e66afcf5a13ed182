/*
 * test_envelope.c - claims about handlers/envelope.h.
 */
#include "handlers/envelope.h"

#include "base/attr.h"
#include "base/memory.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static struct route route_for(const char *payload, const char *id)
{
    struct route route = { 0 };
    struct error err = { 0 };

    CHECK(json_pointer_create(str_from_c(payload), &route.payload, &err));
    CHECK(json_pointer_create(str_from_c(id), &route.id, &err));
    return route;
}

static void end_route(struct route *route)
{
    json_pointer_destroy(route->payload);
    json_pointer_destroy(route->id);
}

static void the_payload_is_any_value_at_its_place(void)
{
    static const struct {
        const char *event;
        const char *pointer;
        const char *payload; /* NULL: missing */
        const char *text;
    } cases[] = {
        { "{\"detail\":{\"a\":1}}", "/detail", "{\"a\":1}", "" },
        { "{\"detail\":null}", "/detail", "null", "" },
        { "{\"detail\":[]}", "/detail", "[]", "" },
        { "{\"detail\":\"x\"}", "/detail", "\"x\"", "" },
        { "{\"a\":1}", "", "{\"a\":1}", "" },
        { "{\"Data\":{\"x\":{\"y\":2}}}", "/Data/x", "{\"y\":2}", "" },
        { "{\"a\":[1,2]}", "/a/1", "2", "" },
        { "{\"a/b\":3}", "/a~1b", "3", "" },
        { "{}", "/detail", NULL, "Invalid EventBridge payload: missing 'detail' key" },
        { "{\"Detail\":1}", "/detail", NULL, "Invalid EventBridge payload: missing 'detail' key" },
        { "{}", "/Data/x", NULL, "Invalid EventBridge payload: missing 'Data.x' key" },
        { "{\"Data\":5}", "/Data/x", NULL, "Invalid EventBridge payload: missing 'Data.x' key" },
        { "{\"Data\":null}", "/Data/x", NULL, "Invalid EventBridge payload: missing 'Data.x' key" },
        { "[1]", "/detail", NULL, "Invalid EventBridge payload: missing 'detail' key" },
        { "null", "/detail", NULL, "Invalid EventBridge payload: missing 'detail' key" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct route route = route_for(cases[i].pointer, "/id");
        struct arena *arena = arena_create();
        const struct flat *event = tree_of(cases[i].event);
        const struct flat *payload = NULL;
        struct error err = { 0 };

        TEST_CASE(cases[i].event);
        CHECK(envelope_payload(&route, event, arena, &payload, &err) == (cases[i].payload != NULL));
        CHECK_STR(str_from_c(err.text), cases[i].text);
        CHECK_INT(err.code, cases[i].payload ? ERR_NONE : ERR_MALFORMED);
        if (cases[i].payload)
            CHECK_STR(flat_text(arena, payload), cases[i].payload);
        arena_destroy(arena);
        end_route(&route);
    }
}

static void the_id_is_a_string_of_1_to_256_bytes(void)
{
    static const struct {
        const char *event;
        const char *pointer;
        const char *id; /* NULL: none */
    } cases[] = {
        { "{\"id\":\"a1\"}", "/id", "a1" },
        { "{\"id\":\"\"}", "/id", NULL },
        { "{\"id\":null}", "/id", NULL },
        { "{\"id\":12}", "/id", NULL },
        { "{\"id\":[\"a\"]}", "/id", NULL },
        { "{}", "/id", NULL },
        { "5", "/id", NULL },
        { "null", "/id", NULL },
        { "{\"Metadata\":{\"EventId\":\"e\"}}", "/Metadata/EventId", "e" },
        { "{\"Metadata\":7}", "/Metadata/EventId", NULL },
        { "\"whole\"", "", "whole" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct route route = route_for("", cases[i].pointer);
        const struct flat *event = tree_of(cases[i].event);

        TEST_CASE(cases[i].event);

        struct str id = envelope_id(&route, event);

        CHECK((id.ptr != NULL) == (cases[i].id != NULL));
        CHECK_STR(id, cases[i].id ? cases[i].id : "");
        end_route(&route);
    }
}

static void an_id_counts_bytes_not_characters(void)
{
    static const struct {
        size_t count;
        const char *character;
        bool is_id;
    } cases[] = {
        { 255, "x", true },        { 256, "x", true },         { 257, "x", false },
        { 128, "\xC3\xA9", true }, { 129, "\xC3\xA9", false }, { 100000, "x", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct route route = route_for("", "/id");
        struct buf text;

        buf_init(&text, 1000000);
        buf_add(&text, STR("{\"id\":\""));
        for (size_t j = 0; j < cases[i].count; j++)
            buf_add(&text, str_from_c(cases[i].character));
        buf_add(&text, STR("\"}"));
        const struct flat *event = tree_read(buf_str(&text), NULL);

        CHECK((envelope_id(&route, event).ptr != NULL) == cases[i].is_id);
        buf_done(&text);
        end_route(&route);
    }
}

static void reads_what_the_envelope_says_of_the_event(void)
{
    static const struct {
        const char *event;
        int64_t time_us;
        const char *replay_name; /* NULL: none */
    } cases[] = {
        { "{\"time\":\"1970-01-01T00:00:01Z\"}", 1000000, NULL },
        { "{\"time\":\"1970-01-01T01:00:01.5+01:00\"}", 1500000, NULL },
        { "{\"time\":\"yesterday\"}", OUTBOX_NO_TIME, NULL },
        { "{\"time\":1}", OUTBOX_NO_TIME, NULL },
        { "{}", OUTBOX_NO_TIME, NULL },
        { "[]", OUTBOX_NO_TIME, NULL },
        { "null", OUTBOX_NO_TIME, NULL },
        { "{\"replay-name\":\"r\"}", OUTBOX_NO_TIME, "r" },
        { "{\"replay-name\":\"\"}", OUTBOX_NO_TIME, NULL },
        { "{\"replay-name\":7}", OUTBOX_NO_TIME, NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct flat *event = tree_of(cases[i].event);

        TEST_CASE(cases[i].event);
        CHECK_INT(envelope_time(event), cases[i].time_us);
        CHECK((envelope_replay_name(event).ptr != NULL) == (cases[i].replay_name != NULL));
        CHECK_STR(envelope_replay_name(event), cases[i].replay_name ? cases[i].replay_name : "");
    }
}

int main(void)
{
    RUN(the_payload_is_any_value_at_its_place);
    RUN(the_id_is_a_string_of_1_to_256_bytes);
    RUN(an_id_counts_bytes_not_characters);
    RUN(reads_what_the_envelope_says_of_the_event);
    trees_end();
    return test_end();
}
