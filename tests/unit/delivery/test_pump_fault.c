/*
 * test_pump_fault.c - claims about delivery/pump_fault.h.
 */
#include "delivery/pump_fault.h"

#include <string.h>

#include "tests/unit/test.h"

static void keeps_the_last_error(void)
{
    struct pump_fault *fault = pump_fault_create();
    struct pump_error error;

    pump_fault_read(fault, &error);
    CHECK(error.at_us == 0 && error.in_a_row == 0);
    pump_fault_begin(fault, "HTTP 503", STR("try later"), 7);
    pump_fault_begin(fault, "HTTP 500", STR_NONE, 8);
    pump_fault_read(fault, &error);
    CHECK_STR(str_from_c(error.reason), "HTTP 500");
    CHECK(error.at_us == 8 && error.in_a_row == 2 && error.said_len == 0);
    pump_fault_end(fault);
    pump_fault_begin(fault, "HTTP 503", STR("no"), 9);
    pump_fault_end(fault);
    pump_fault_read(fault, &error);
    CHECK_STR(((struct str){ error.said, error.said_len }), "no");
    CHECK(error.at_us == 9 && error.in_a_row == 0);
    pump_fault_destroy(fault);
    pump_fault_destroy(NULL);
}

static void cuts_long_texts_between_characters(void)
{
    struct pump_fault *fault = pump_fault_create();
    char text[2 * PUMP_FAULT_SAID_MAX + 2] = "x";
    struct pump_error error;

    for (size_t i = 1; i < sizeof(text) - 1; i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    text[sizeof(text) - 1] = '\0';
    pump_fault_begin(fault, text, str_from_c(text), 1);
    pump_fault_read(fault, &error);
    CHECK_INT((int64_t)strlen(error.reason), PUMP_FAULT_REASON_MAX - 1);
    CHECK_INT((int64_t)error.said_len, PUMP_FAULT_SAID_MAX - 1);
    CHECK(memcmp(error.said, text, error.said_len) == 0);
    pump_fault_destroy(fault);
}

int main(void)
{
    RUN(keeps_the_last_error);
    RUN(cuts_long_texts_between_characters);
    return test_end();
}
