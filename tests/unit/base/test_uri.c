/*
 * test_uri.c - splitting, resolving (with the examples of RFC 3986 section 5.4) and decoding.
 */
#include "base/uri.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void check_resolved(const char *base, const char *reference, const char *expected)
{
    struct arena *arena = arena_create();
    struct str out = STR("untouched");

    TEST_CASE(reference);
    CHECK(uri_resolve(arena, str_from_c(base), str_from_c(reference), &out) == (expected != NULL));
    CHECK_STR(out, expected ? expected : "untouched");
    arena_destroy(arena);
}

static void resolves_the_examples_of_the_rfc(void)
{
    static const char *const cases[][2] = {
        { "g:h", "g:h" },
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q#s" },
        { "g#s", "http://a/b/c/g#s" },
        { "g?y#s", "http://a/b/c/g?y#s" },
        { ";x", "http://a/b/c/;x" },
        { "g;x", "http://a/b/c/g;x" },
        { "g;x?y#s", "http://a/b/c/g;x?y#s" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "../../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { ".g", "http://a/b/c/.g" },
        { "g..", "http://a/b/c/g.." },
        { "..g", "http://a/b/c/..g" },
        { "./../g", "http://a/b/g" },
        { "./g/.", "http://a/b/c/g/" },
        { "g/./h", "http://a/b/c/g/h" },
        { "g/../h", "http://a/b/c/h" },
        { "g;x=1/./y", "http://a/b/c/g;x=1/y" },
        { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/./x", "http://a/b/c/g?y/./x" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
        { "g#s/./x", "http://a/b/c/g#s/./x" },
        { "g#s/../x", "http://a/b/c/g#s/../x" },
        { "http:g", "http:g" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_resolved("http://a/b/c/d;p?q", cases[i][0], cases[i][1]);
}

static void resolves_against_other_bases(void)
{
    static const struct {
        const char *base;
        const char *reference;
        const char *expected; /* NULL: cannot be resolved */
    } cases[] = {
        { "", "", "" },
        { "", "a/b", "a/b" },
        { "", "#x", "#x" },
        { "", "/a/../b", "/b" },
        { "", "http://a/./b", "http://a/b" },
        { "a/b", "c", "a/c" },
        { "a/b", "#x", "a/b#x" },
        { "/a/b", "../c", "/c" },
        { "http://a", "b", "http://a/b" },
        { "http://a", "#", "http://a#" },
        { "http://a?q", "b", "http://a/b" },
        { "http://a?q", "#f", "http://a?q#f" },
        { "http://a/b#old", "", "http://a/b" },
        { "http://a/b#old", "#new", "http://a/b#new" },
        { "http://a/b/?x/y", "c", "http://a/b/c" },
        { "file:///a/b.json", "c.json", "file:///a/c.json" },
        { "file:/a/b.json", "c.json", "file:/a/c.json" },
        { "urn:x:y", "#f", "urn:x:y#f" },
        { "urn:x:y", "", "urn:x:y" },
        { "urn:x:y?+a", "?b", "urn:x:y?b" },
        { "urn:x:y", "urn:z", "urn:z" },
        { "urn:x:y", "z", NULL },
        { "urn:x:y", "/z", NULL },
        { "urn:x:y", "//z", NULL },
        { "tag:a@b,2020:c", "#d", "tag:a@b,2020:c#d" },
        { "http://a/b", "urn:x/../y", "urn:x/../y" },
        { "http://a/b", "tag:c", "tag:c" },
        { "http://a//b//c", "d", "http://a//b//d" },
        { "http://a//b//c", "..", "http://a//b/" },
        { "http://a/b", "%2e%2e/c", "http://a/%2e%2e/c" },
        { "http://a/b", "?", "http://a/b?" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_resolved(cases[i].base, cases[i].reference, cases[i].expected);
}

static void splits_into_five_parts(void)
{
    struct uri uri = uri_split(STR("http://u@h:1/p/q?a=b?c#d?e"));

    CHECK_STR(uri.scheme, "http");
    CHECK_STR(uri.authority, "u@h:1");
    CHECK_STR(uri.path, "/p/q");
    CHECK_STR(uri.query, "a=b?c");
    CHECK_STR(uri.fragment, "d?e");

    uri = uri_split(STR("1a:b"));
    CHECK(!uri.has_scheme && !uri.has_authority && !uri.has_query && !uri.has_fragment);
    CHECK_STR(uri.path, "1a:b");

    uri = uri_split(STR("//?#"));
    CHECK(uri.has_authority && uri.has_query && uri.has_fragment);
    CHECK_STR(uri.authority, "");

    uri = uri_split((struct str){ NULL, 0 });
    CHECK_STR(uri.path, "");
}

static void cuts_the_fragment_off(void)
{
    static const char *const cases[][3] = {
        { "", "", "" },      { "a", "a", "" },        { "a#", "a", "" },
        { "a#b", "a", "b" }, { "#/a/b", "", "/a/b" }, { "a#b#c", "a", "b#c" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str absolute;
        struct str fragment;

        TEST_CASE(cases[i][0]);
        uri_split_fragment(str_from_c(cases[i][0]), &absolute, &fragment);
        CHECK_STR(absolute, cases[i][1]);
        CHECK_STR(fragment, cases[i][2]);
    }
}

static void decodes_percent_escapes(void)
{
    static const char *const cases[][2] = {
        { "", "" },         { "abc", "abc" }, { "%41b%2F", "Ab/" }, { "%c3%A9", "\xC3\xA9" },
        { "100%", "100%" }, { "%4", "%4" },   { "%4g%41", "%4gA" }, { "%%41", "%A" },
        { "%2541", "%41" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i][0]);
        CHECK_STR(uri_decode(arena, str_from_c(cases[i][0])), cases[i][1]);
    }
    CHECK(str_equal(uri_decode(arena, STR("a%00b")), STR("a\0b")));
    arena_destroy(arena);
}

int main(void)
{
    RUN(resolves_the_examples_of_the_rfc);
    RUN(resolves_against_other_bases);
    RUN(splits_into_five_parts);
    RUN(cuts_the_fragment_off);
    RUN(decodes_percent_escapes);
    return test_end();
}
