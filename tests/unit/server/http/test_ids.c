/*
 * test_ids.c - claims about server/http/ids.h: request ids.
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

int main(void)
{
    RUN(a_new_id_is_a_uuid_of_version_4);
    RUN(accepts_well_formed_request_ids_only);
    return test_end();
}
