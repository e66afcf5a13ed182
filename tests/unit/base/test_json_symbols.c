/*
 * test_json_symbols.c - keys known beforehand: one copy each, told by its address.
 */
#include "base/json.h"

#include <stdio.h>

#include "tests/unit/test.h"

static void finds_symbols_by_their_bytes(void)
{
    const struct str keys[] = {
        STR("id"),     STR("detail"),        STR("id"),  STR(""), STR("time"),
        STR("\u00e9"), STR("account_owner"), STR("a\0b")
    };
    struct json_symbols *symbols = json_symbols_create(keys, COUNT_OF(keys));

    CHECK_INT((int64_t)symbols->count, 6);
    for (size_t i = 0; i < symbols->count; i++) {
        const struct json_symbol *symbol = json_symbols_at(symbols, i);
        struct str key = { symbol->key, symbol->len };

        CHECK_INT(symbol->index, (int64_t)i);
        CHECK(symbol->key[symbol->len] == '\0');
        CHECK(json_symbols_find(symbols, key) == symbol);
        CHECK(json_symbol_of_key(symbols, symbol->key) == symbol);
    }
    CHECK_STR(str_from_c(json_symbols_at(symbols, 1)->key), "detail");
    CHECK_STR(str_from_c(json_symbols_at(symbols, 2)->key), "");
    CHECK(!json_symbols_find(symbols, STR("detai")));
    CHECK(!json_symbols_find(symbols, STR("details")));
    CHECK(!json_symbols_find(symbols, STR("a")));
    CHECK(!json_symbols_find(symbols, STR("a\0b")));
    CHECK(!json_symbol_of_key(symbols, "id"));
    json_symbols_destroy(symbols);
}

static void marks_members_of_trees(void)
{
    const struct str keys[] = { STR("id"), STR("detail") };
    struct json_symbols *symbols = json_symbols_create(keys, COUNT_OF(keys));
    struct json_symbols *others = json_symbols_create(keys, COUNT_OF(keys));
    const struct json_read_options options = { .symbols = symbols };
    struct json_object *tree = NULL;
    struct error err = { 0 };
    size_t known = 0;

    CHECK(json_read(STR("{\"\\u0069d\":1,\"other\":2,\"detail\":3}"), &options, &tree, &err));
    for (JSON_EACH(member, tree)) {
        const struct json_symbol *symbol = json_symbol_of(symbols, member);

        CHECK((symbol != NULL) == (strcmp(json_key(member), "other") != 0));
        CHECK(!json_symbol_of(others, member));
        if (!symbol)
            continue;
        known++;
        CHECK_STR(str_from_c(json_key(member)), symbol->key);
        CHECK(lh_table_lookup_entry_w_hash(json_object_get_object(tree), symbol->key,
                                           symbol->hash) == member);
    }
    CHECK_INT((int64_t)known, 2);
    json_release(tree);
    json_symbols_destroy(symbols);
    json_symbols_destroy(others);
}

static void manages_with_none_and_with_many(void)
{
    enum { MANY = 5000 };
    static char names[MANY][24];
    static struct str keys[MANY];
    struct json_symbols *none = json_symbols_create(NULL, 0);

    CHECK(!json_symbols_find(none, STR("a")));
    CHECK(!json_symbols_find(none, STR("")));
    CHECK(!json_symbol_of_key(none, "a"));
    json_symbols_destroy(none);
    json_symbols_destroy(NULL);

    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%s%zu", i % 2 ? "property_number_" : "p", i);
        keys[i] = str_from_c(names[i]);
    }

    struct json_symbols *many = json_symbols_create(keys, MANY);

    CHECK_INT((int64_t)many->count, MANY);
    for (size_t i = 0; i < MANY; i++)
        CHECK(json_symbols_find(many, keys[i])->index == i);
    json_symbols_destroy(many);
}

int main(void)
{
    RUN(finds_symbols_by_their_bytes);
    RUN(marks_members_of_trees);
    RUN(manages_with_none_and_with_many);
    return test_end();
}
