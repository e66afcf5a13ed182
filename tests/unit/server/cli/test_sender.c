/*
 * test_sender.c - the error codes of dead letters
 */
#include "server/cli/sender.h"

#include "tests/unit/test.h"

static void a_dead_letter_has_a_code_of_eventbridge(void)
{
    static const struct {
        const char *code;
        struct sender_result result;
    } cases[] = {
        { "TIMEOUT", { .status = 0, .timed_out = true } },
        { "CONNECTION_FAILURE", { .status = 0 } },
        { "THROTTLING", { .status = 429 } },
        { "NO_PERMISSIONS", { .status = 401 } },
        { "NO_PERMISSIONS", { .status = 403 } },
        { "NO_PERMISSIONS", { .status = 407 } },
        { "SDK_CLIENT_ERROR", { .status = 400 } },
        { "SDK_CLIENT_ERROR", { .status = 503 } },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        CHECK_STR(str_from_c(sender_error_code(&cases[i].result)), cases[i].code);
}

int main(void)
{
    RUN(a_dead_letter_has_a_code_of_eventbridge);
    return test_end();
}
