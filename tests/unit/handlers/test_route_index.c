/*
 * test_route_index.c - rules are found by the texts that they want.
 */
#include "handlers/route_index.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void rules_are_found_by_their_texts_in_order(void)
{
    static const struct str texts[] = { STR_INIT("b"), STR_INIT("a"), STR_INIT("ab"),
                                        STR_INIT("a") };
    const struct rule *rules[4];
    char places[COUNT_OF(rules)] = { 0 };
    struct route_index index = { 0 };
    struct route_list found;

    for (size_t i = 0; i < COUNT_OF(rules); i++)
        rules[i] = (const struct rule *)&places[i];
    route_index_add(&index, rules[0], texts, COUNT_OF(texts));
    route_index_add(&index, rules[1], NULL, 0);
    route_index_add(&index, rules[2], &texts[1], 1);
    route_index_add(&index, rules[3], &texts[2], 1);
    CHECK_INT((int64_t)index.count, 3);
    CHECK_INT((int64_t)index.others.count, 1);
    CHECK(index.others.rules[0] == rules[1]);
    found = route_index_find(&index, STR("a"));
    CHECK_INT((int64_t)found.count, 2);
    CHECK(found.rules[0] == rules[0] && found.rules[1] == rules[2]);
    found = route_index_find(&index, STR("ab"));
    CHECK_INT((int64_t)found.count, 2);
    CHECK(found.rules[0] == rules[0] && found.rules[1] == rules[3]);
    CHECK_INT((int64_t)route_index_find(&index, STR("b")).count, 1);
    CHECK_INT((int64_t)route_index_find(&index, STR("")).count, 0);
    CHECK_INT((int64_t)route_index_find(&index, STR("abc")).count, 0);
    route_index_done(&index);
}

int main(void)
{
    RUN(rules_are_found_by_their_texts_in_order);
    return test_end();
}
