/*
 * test_handler.c - claims about handlers/handler.h.
 */
#include "handlers/handler.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void refusals_name_the_reason(void)
{
    static const struct {
        int status;
        const char *body;
    } cases[] = {
        { 400, "{\"error\":\"Bad Request\"}" },
        { 401, "{\"error\":\"Unauthorized\"}" },
        { 404, "{\"error\":\"Not Found\"}" },
        { 405, "{\"error\":\"Method Not Allowed\"}" },
        { 411, "{\"error\":\"Length Required\"}" },
        { 413, "{\"error\":\"Content Too Large\"}" },
        { 414, "{\"error\":\"URI Too Long\"}" },
        { 415, "{\"error\":\"Unsupported Media Type\"}" },
        { 429, "{\"error\":\"Too Many Requests\"}" },
        { 431, "{\"error\":\"Request Header Fields Too Large\"}" },
        { 500, "{\"error\":\"Internal Server Error\"}" },
        { 501, "{\"error\":\"Not Implemented\"}" },
        { 503, "{\"error\":\"Service Unavailable\"}" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct response response = { 0 };

        TEST_CASE(cases[i].body);
        response_refuse(&response, arena, cases[i].status, NULL);
        CHECK_INT(response.status, cases[i].status);
        CHECK_STR(response.body, cases[i].body);
        CHECK(!response.content_type && response.retry_after_seconds == 0);
    }
    arena_destroy(arena);
}

static void details_are_escaped(void)
{
    struct arena *arena = arena_create();
    struct response response = { 0 };

    response_refuse(&response, arena, 413, "body \"over\"\n2 MiB");
    CHECK_STR(response.body,
              "{\"error\":\"Content Too Large\",\"details\":\"body \\\"over\\\"\\n2 MiB\"}");
    response_refuse(&response, arena, 413, "");
    CHECK_STR(response.body, "{\"error\":\"Content Too Large\",\"details\":\"\"}");
    arena_destroy(arena);
}

static void every_status_has_a_reason(void)
{
    CHECK_STR(str_from_c(response_reason(200)), "OK");
    CHECK(response_reason(999)[0] != '\0');
    CHECK(response_reason(-1)[0] != '\0');
}

int main(void)
{
    RUN(refusals_name_the_reason);
    RUN(details_are_escaped);
    RUN(every_status_has_a_reason);
    return test_end();
}
