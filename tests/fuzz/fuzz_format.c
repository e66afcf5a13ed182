/*
 * fuzz_format.c - every format answers for every text, and the formats agree with one another.
 */
#include <assert.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/uri.h"
#include "schema/format/format.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is(const char *format, struct str text)
{
    return format_check(format_find(str_from_c(format)), text);
}

/* What is the one is the other, too. */
static const char *const narrower[][2] = {
    { "uri", "uri-reference" }, { "uri", "iri" },         { "uri-reference", "iri-reference" },
    { "iri", "iri-reference" }, { "email", "idn-email" }, { "ipv4", "hostname" },
    { "uuid", "hostname" },     { "date", "hostname" },
};

static const char *const others[] = {
    "date-time", "time",         "ipv6", "idn-hostname", "json-pointer", "relative-json-pointer",
    "regex",     "uri-template",
};

static void check_uri(struct str text)
{
    struct arena *arena = arena_create();
    struct str absolute;
    struct str fragment;
    struct str out;

    uri_split_fragment(text, &absolute, &fragment);
    assert(absolute.len + fragment.len <= text.len);
    assert(uri_decode(arena, text).len <= text.len);
    /* What is resolved stays what it is. */
    if (uri_resolve(arena, STR("http://a/b/c?d"), text, &out) && is("uri-reference", text)) {
        struct str again;

        assert(is("uri", out));
        assert(uri_resolve(arena, STR("http://x/y"), out, &again) && str_equal(out, again));
    }
    (void)uri_resolve(arena, text, STR("../e#f"), &out);
    arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { (const char *)data, size };

    for (size_t i = 0; i < COUNT_OF(narrower); i++)
        assert(!is(narrower[i][0], text) || is(narrower[i][1], text));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        (void)is(others[i], text);
    check_uri(text);
    return 0;
}
