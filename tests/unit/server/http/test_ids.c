/*
 * test_ids.c - claims about server/http/ids.h: request ids and trace ids.
 */
#include "server/http/ids.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void a_new_id_is_a_uuid_of_version_4(void)
{
    struct http_id_source source = { 0 };
    char before[HTTP_UUID_LEN + 1] = "";

    for (int i = 0; i < 100; i++) {
        char id[HTTP_UUID_LEN + 1];

        http_id_create(&source, id);
        CHECK_INT((int64_t)strlen(id), HTTP_UUID_LEN);
        CHECK(http_id_is_valid(str_from_c(id)));
        CHECK(id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-');
        CHECK(id[14] == '4' && strchr("89ab", id[19]) != NULL);
        CHECK(strcmp(id, before) != 0);
        memcpy(before, id, sizeof(before));
    }
}

static void accepts_well_formed_request_ids_only(void)
{
    static char longest[HTTP_ID_MAX + 1];

    memset(longest, 'a', sizeof(longest));
    CHECK(http_id_is_valid(STR("a")));
    CHECK(http_id_is_valid(STR("AZaz09._-")));
    CHECK(http_id_is_valid((struct str){ longest, HTTP_ID_MAX }));
    CHECK(!http_id_is_valid((struct str){ longest, HTTP_ID_MAX + 1 }));
    CHECK(!http_id_is_valid(STR("")));
    CHECK(!http_id_is_valid(STR("a b")));
    CHECK(!http_id_is_valid(STR("a:b")));
    CHECK(!http_id_is_valid(STR("a\nb")));
    CHECK(!http_id_is_valid(STR("\xc3\xa9")));
}

static void finds_the_trace_id(void)
{
#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define ROOT   "1-5759e988-bd862e3fe1be46a994272793"
    static const struct {
        const char *name;
        const char *traceparent;
        const char *amzn;
        const char *id;
    } cases[] = {
        { "W3C", "00-" TRACE "-" PARENT "-01", "", TRACE },
        { "a later version", "01-" TRACE "-" PARENT "-01-more", "", TRACE },
        { "W3C before Amazon", "00-" TRACE "-" PARENT "-01", "Root=" ROOT, TRACE },
        { "Amazon when W3C is wrong", "00-" TRACE, "Root=" ROOT, ROOT },
        { "Amazon with more", "",
          "Self=1-67891234-12456789abcdef012345678; Root=" ROOT ";Sampled=1", ROOT },
        { "none", "", "", "" },
        { "upper case", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", "", "" },
        { "all zero", "00-00000000000000000000000000000000-" PARENT "-01", "", "" },
        { "version ff", "ff-" TRACE "-" PARENT "-01", "", "" },
        { "tail on version 00", "00-" TRACE "-" PARENT "-01-more", "", "" },
        { "no dash", "00-" TRACE "x" PARENT "-01", "", "" },
        { "short root", "", "Root=1-5759e988-bd862e3f", "" },
        { "root with a quote", "", "Root=1-5759e988-bd862e3fe1be46a99427279\"", "" },
        { "no root", "", "Parent=53995c3f42cd8ad8;;", "" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        CHECK_STR(http_id_of_trace(str_from_c(cases[i].traceparent), str_from_c(cases[i].amzn)),
                  cases[i].id);
    }
}

static void passes_on_traceparents_of_the_known_version_only(void)
{
    CHECK(http_id_is_traceparent(STR("00-" TRACE "-" PARENT "-01")));
    CHECK(!http_id_is_traceparent(STR("00-" TRACE "-" PARENT "-01-more")));
    CHECK(!http_id_is_traceparent(STR("01-" TRACE "-" PARENT "-01-more")));
    CHECK(!http_id_is_traceparent(STR("00-" TRACE "-" PARENT "-0\r")));
    CHECK(!http_id_is_traceparent(STR("")));
    CHECK(!http_id_is_traceparent(STR_NONE));
}

int main(void)
{
    RUN(a_new_id_is_a_uuid_of_version_4);
    RUN(accepts_well_formed_request_ids_only);
    RUN(finds_the_trace_id);
    RUN(passes_on_traceparents_of_the_known_version_only);
    return test_end();
}
