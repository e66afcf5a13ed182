/*
 * test_json_symbols.c - the table of property names: one copy and one number each.
 */
#include "base/flat.h"

#include <pthread.h>
#include <stdio.h>

#include "tests/unit/test.h"
#include "tests/unit/tree.h"

enum { ROOM = 1 << 20 };

static void finds_symbols_by_their_bytes(void)
{
    const struct str keys[] = { STR("id"),   STR("detail"), STR(""),
                                STR("time"), STR("\u00e9"), STR("account_owner") };
    struct json_symbols *symbols = json_symbols_create(ROOM);

    CHECK(!json_symbols_find(symbols, STR("")));
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const struct json_symbol *symbol = json_symbols_add(symbols, keys[i]);

        CHECK_INT(symbol->index, (int64_t)i);
        CHECK_STR(keys[i], symbol->key);
        CHECK_INT(symbol->len, (int64_t)keys[i].len);
    }
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const struct json_symbol *symbol = json_symbols_find(symbols, keys[i]);

        CHECK_INT(symbol->index, (int64_t)i);
        CHECK(json_symbols_add(symbols, keys[i]) == symbol);
    }
    CHECK(!json_symbols_find(symbols, STR("detai")));
    CHECK(!json_symbols_find(symbols, STR("details")));
    CHECK(!json_symbols_find(symbols, STR("a")));
    CHECK(!json_symbols_add(symbols, STR("a\0b")));
    CHECK(!json_symbols_find(symbols, STR("a\0b")));
    json_symbols_destroy(symbols);
    json_symbols_destroy(NULL);
}

static void marks_members_of_trees(void)
{
    struct json_symbols *symbols = json_symbols_create(ROOM);
    const struct flat *tree;
    size_t known = 0;

    (void)json_symbols_add(symbols, STR("id"));
    (void)json_symbols_add(symbols, STR("detail"));
    tree = tree_read(STR("{\"\\u0069d\":1,\"other\":2,\"detail\":3}"), symbols);
    (void)json_symbols_add(symbols, STR("other")); /* too late for this tree */
    for (FLAT_EACH(member, tree)) {
        bool is_known = member->symbol != FLAT_NO_SYMBOL;

        CHECK(is_known != str_equal(flat_key(member), STR("other")));
        if (!is_known)
            continue;
        known++;
        CHECK_INT(json_symbols_find(symbols, flat_key(member))->index, member->symbol);
    }
    CHECK_INT((int64_t)known, 2);
    json_symbols_destroy(symbols);
}

static void a_full_table_takes_no_more(void)
{
    struct json_symbols *symbols = json_symbols_create(40); /* 16 bytes each */

    CHECK(json_symbols_add(symbols, STR("first")) != NULL);
    CHECK(!json_symbols_add(symbols, STR("a name of 41 bytes is too long for it all")));
    CHECK(json_symbols_add(symbols, STR("second")) != NULL);
    CHECK(!json_symbols_add(symbols, STR("third")));
    CHECK(!json_symbols_find(symbols, STR("third")));
    CHECK(json_symbols_find(symbols, STR("first")) != NULL);
    json_symbols_destroy(symbols);
}

enum { MANY = 5000, ADDERS = 4 };

static char names[MANY][24];
static const struct json_symbol *found[ADDERS][MANY];
static struct json_symbols *shared;
static int numbers[ADDERS] = { 0, 1, 2, 3 };

/* Each thread adds all names, beginning elsewhere, and finds each of them at once. */
static void *add_all(void *number)
{
    size_t thread = (size_t) * (const int *)number;

    for (size_t i = 0; i < MANY; i++) {
        size_t at = (i + thread * MANY / ADDERS) % MANY;

        found[thread][at] = json_symbols_add(shared, str_from_c(names[at]));
        if (json_symbols_find(shared, str_from_c(names[at])) != found[thread][at])
            found[thread][at] = NULL;
    }
    return NULL;
}

static void threads_that_add_get_the_same_symbols(void)
{
    pthread_t threads[ADDERS];

    shared = json_symbols_create(ROOM);
    for (size_t i = 0; i < MANY; i++)
        (void)snprintf(names[i], sizeof(names[i]), "%s%zu", i % 2 ? "property_number_" : "p", i);
    for (size_t i = 0; i < ADDERS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, add_all, &numbers[i]), 0);
    for (size_t i = 0; i < ADDERS; i++)
        (void)pthread_join(threads[i], NULL);
    for (size_t i = 0; i < MANY; i++) {
        const struct json_symbol *symbol = json_symbols_find(shared, str_from_c(names[i]));

        CHECK_STR(str_from_c(names[i]), symbol->key);
        CHECK(symbol->index < MANY);
        for (size_t thread = 0; thread < ADDERS; thread++)
            CHECK(found[thread][i] == symbol);
    }
    json_symbols_destroy(shared);
}

int main(void)
{
    RUN(finds_symbols_by_their_bytes);
    RUN(marks_members_of_trees);
    RUN(a_full_table_takes_no_more);
    RUN(threads_that_add_get_the_same_symbols);
    trees_end();
    return test_end();
}
