/*
 * test_interpolate.c - variables in a text.
 */
#include "settings/interpolate.h"

#include "tests/unit/test.h"

static const char *lookup(const char *name)
{
    if (strcmp(name, "NAME") == 0)
        return "value";
    if (strcmp(name, "_x9") == 0)
        return "${NAME}";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    return NULL;
}

static void fills_in(void)
{
    static const struct {
        const char *text;
        const char *result;
    } cases[] = {
        { "", "" },
        { "plain", "plain" },
        { "${NAME}", "value" },
        { "a ${NAME}${NAME} b", "a valuevalue b" },
        { "${NAME:-other}", "value" },
        { "${NONE:-other}", "other" },
        { "${NONE:-}", "" },
        { "${NONE:--}", "-" },
        { "${NONE:-a:-b}", "a:-b" },
        { "${NONE:-${NAME}", "${NAME" },
        { "${NONE:-$$}", "$$" },
        { "${EMPTY}", "" },
        { "${EMPTY:-other}", "other" },
        { "${_x9}", "${NAME}" },
        { "$$", "$" },
        { "$${NAME}", "${NAME}" },
        { "$$$${NAME}", "$${NAME}" },
        { "$$${NAME}", "$value" },
        { "$", "$" },
        { "a$", "a$" },
        { "$NAME", "$NAME" },
        { "$(NAME)", "$(NAME)" },
        { "5$ {x}", "5$ {x}" },
        { "}", "}" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out;
        struct error err = { 0 };

        TEST_CASE(cases[i].text);
        buf_init(&out, 1000);
        CHECK(interpolate(str_from_c(cases[i].text), lookup, &out, &err));
        CHECK_STR(buf_str(&out), cases[i].result);
        buf_done(&out);
    }
}

static void refuses(void)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        { "${NONE}", "environment variable NONE is not set" },
        { "${NAME} ${name}", "environment variable name is not set" },
        { "${}", "expected ${NAME} or ${NAME:-default}, and $$ for a $" },
        { "${:-x}", "expected ${NAME} or ${NAME:-default}, and $$ for a $" },
        { "${9}", "expected ${NAME} or ${NAME:-default}, and $$ for a $" },
        { "${NAME-x}", "expected ${NAME} or ${NAME:-default}, and $$ for a $" },
        { "${NAME:x}", "expected ${NAME} or ${NAME:-default}, and $$ for a $" },
        { "${ NAME }", "expected ${NAME} or ${NAME:-default}, and $$ for a $" },
        { "${NAME", "${ without its }" },
        { "a ${", "${ without its }" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out;
        struct error err = { 0 };

        TEST_CASE(cases[i].text);
        buf_init(&out, 1000);
        CHECK(!interpolate(str_from_c(cases[i].text), lookup, &out, &err));
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK_STR(str_from_c(err.text), cases[i].why);
        buf_done(&out);
    }
}

int main(void)
{
    RUN(fills_in);
    RUN(refuses);
    return test_end();
}
