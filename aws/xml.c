/*
 * xml.c - see xml.h.
 */
#include "aws/xml.h"

#include <stdint.h>

#include "base/attr.h"
#include "base/chars.h"
#include "base/utf8.h"

enum {
    REFERENCE_MAX = 10, /* bytes between `&` and `;` */
    SURROGATE_FIRST = 0xD800,
    SURROGATE_LAST = 0xDFFF,
};

enum tag_kind { TAG_BEGIN, TAG_END, TAG_EMPTY };

struct tag {
    enum tag_kind kind;
    struct str name;
    const char *start; /* its `<` */
};

/* The length up to the `>` that ends a tag: not one within a quoted value. SIZE_MAX: there is none.
 */
static size_t tag_length(struct str text)
{
    char quote = '\0';

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (quote == '\0' && c == '>')
            return i;
        if (quote == c)
            quote = '\0';
        else if (quote == '\0' && (c == '"' || c == '\''))
            quote = c;
    }
    return SIZE_MAX;
}

static bool is_name_char(char c)
{
    return !char_is_space(c) && c != '/';
}

/* Take text and processing instructions up to the next tag, and the tag. False: there is none. */
static bool take_tag(struct str *rest, struct tag *tag)
{
    for (;;) {
        struct str text;

        (void)take_until(rest, '<');

        size_t len = tag_length(*rest);

        if (!rest->ptr || len == SIZE_MAX || next_is_one_of(*rest, "!"))
            return false;
        text = (struct str){ rest->ptr, len };
        tag->start = rest->ptr - 1;
        *rest = str_from(*rest, len + 1);
        if (next_is_one_of(text, "?"))
            continue;
        tag->kind = TAG_BEGIN;
        if (take_char(&text, "/"))
            tag->kind = TAG_END;
        else if (str_ends_with(text, STR("/")))
            tag->kind = TAG_EMPTY;
        tag->name = text;
        (void)take_run(&text, is_name_char);
        tag->name.len -= text.len;
        return true;
    }
}

bool aws_xml_next(struct str *rest, const char *name, struct str *content)
{
    struct str wanted = str_from_c(name);
    struct str at = *rest;
    struct tag tag;
    size_t depth = 1;

    do {
        if (!take_tag(&at, &tag))
            return false;
    } while (tag.kind == TAG_END || !str_equal(tag.name, wanted));

    const char *start = at.ptr;

    if (tag.kind == TAG_EMPTY) {
        *content = STR("");
        *rest = at;
        return true;
    }
    while (depth > 0) {
        if (!take_tag(&at, &tag))
            return false;
        if (tag.kind != TAG_EMPTY && str_equal(tag.name, wanted))
            depth = tag.kind == TAG_BEGIN ? depth + 1 : depth - 1;
    }
    *content = (struct str){ start, (size_t)(tag.start - start) };
    *rest = at;
    return true;
}

/* Append the character of `#38` or `#x26`. */
static bool add_number(struct buf *out, struct str digits)
{
    bool hex = take_char(&digits, "xX");
    uint32_t value = 0;

    if (digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        int digit = char_hex_value(digits.ptr[i]);

        if (digit < 0 || (!hex && digit > 9))
            return false;
        value = value * (hex ? 16 : 10) + (uint32_t)digit;
        if (value > UTF8_CODEPOINT_MAX)
            return false;
    }
    if (value == 0 || (value >= SURROGATE_FIRST && value <= SURROGATE_LAST))
        return false;
    utf8_add(out, value);
    return true;
}

/* Append what the reference `&name;` stands for. */
static bool add_reference(struct buf *out, struct str name)
{
    static const struct {
        struct str name;
        char c;
    } entities[] = { { STR_INIT("amp"), '&' },
                     { STR_INIT("lt"), '<' },
                     { STR_INIT("gt"), '>' },
                     { STR_INIT("quot"), '"' },
                     { STR_INIT("apos"), '\'' } };

    if (take_char(&name, "#"))
        return add_number(out, name);
    for (size_t i = 0; i < COUNT_OF(entities); i++) {
        if (str_equal(name, entities[i].name)) {
            buf_add_char(out, entities[i].c);
            return true;
        }
    }
    return false;
}

struct str aws_xml_text(struct str document, const char *name, struct arena *arena)
{
    struct str content;

    if (!aws_xml_next(&document, name, &content) ||
        (content.len > 0 && memchr(content.ptr, '<', content.len)))
        return STR_NONE;
    while (next_is_one_of(content, " \t\r\n"))
        content = str_from(content, 1);
    while (content.len > 0 && char_is_space(content.ptr[content.len - 1]))
        content.len--;

    struct buf *out = arena_buf(arena, content.len + 1);

    while (content.len > 0) {
        size_t before = content.len;
        struct str plain = take_until(&content, '&');

        buf_add(out, plain);
        if (plain.len == before)
            break;

        struct str reference = content;

        reference = take_until(&reference, ';');
        if (reference.len > REFERENCE_MAX || reference.len == content.len ||
            !add_reference(out, reference))
            return STR_NONE;
        content = str_from(content, reference.len + 1);
    }
    return out->ptr ? buf_str(out) : STR("");
}
