/*
 * test_totals.c - claims about server/totals.h.
 */
#include "server/totals.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void the_status_decides(void)
{
    static const struct {
        enum condition condition;
        enum status_map map;
        struct totals totals;
    } cases[] = {
        { CONDITION_VALID, STATUS_MAP_TUTORIAL, { .accepted = 3 } },
        { CONDITION_DUPLICATE, STATUS_MAP_TUTORIAL, { .accepted = 3 } },
        { CONDITION_DROPPED, STATUS_MAP_TUTORIAL, { .accepted = 3 } },
        { CONDITION_MALFORMED, STATUS_MAP_TUTORIAL, { .refused = 3 } },
        { CONDITION_UNAVAILABLE, STATUS_MAP_TUTORIAL, { .failed = 3 } },
        { CONDITION_REGISTRY_DENIED, STATUS_MAP_TUTORIAL, { .refused = 3 } },
        { CONDITION_REGISTRY_DENIED, STATUS_MAP_EVENTBRIDGE, { .failed = 3 } },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct totals totals = { 0 };

        totals_add(&totals, cases[i].map, cases[i].condition, 1);
        totals_add(&totals, cases[i].map, cases[i].condition, 2);
        CHECK_INT(totals.accepted, cases[i].totals.accepted);
        CHECK_INT(totals.refused, cases[i].totals.refused);
        CHECK_INT(totals.failed, cases[i].totals.failed);
    }
}

int main(void)
{
    RUN(the_status_decides);
    return test_end();
}
