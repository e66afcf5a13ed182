/*
 * test_list.c - claims about base/list.h: the order holds in both directions.
 */
#include "base/list.h"

#include "base/attr.h"
#include "tests/unit/test.h"

struct element {
    char name;
    struct list_link link;
};

/* The list must spell `names`, forwards and backwards. */
static void check_spells(const struct list *list, const char *names)
{
    const struct list_link *link = list_first(list);
    size_t count = 0;

    CHECK(list_is_empty(list) == !names[0]);
    for (; link && names[count]; link = list_next(list, link))
        CHECK(CONTAINER_OF(link, struct element, link)->name == names[count++]);
    CHECK(!link && !names[count]);
    for (link = count ? list->ends.previous : NULL; link; link = list_previous(list, link))
        CHECK(CONTAINER_OF(link, struct element, link)->name == names[--count]);
    CHECK(count == 0);
}

static void elements_keep_their_order(void)
{
    struct element a = { .name = 'a' };
    struct element b = { .name = 'b' };
    struct element c = { .name = 'c' };
    struct list list;

    list_init(&list);
    check_spells(&list, "");
    list_append(&list, &a.link);
    check_spells(&list, "a");
    list_append(&list, &c.link);
    list_insert_after(&a.link, &b.link);
    check_spells(&list, "abc");
    list_remove(&b.link);
    check_spells(&list, "ac");
    list_insert_after(&list.ends, &b.link);
    check_spells(&list, "bac");
    list_remove(&c.link);
    list_remove(&b.link);
    check_spells(&list, "a");
    list_remove(&a.link);
    check_spells(&list, "");
}

int main(void)
{
    RUN(elements_keep_their_order);
    return test_end();
}
