/*
 * uri.c - see uri.h.
 */
#include "base/uri.h"

#include "base/buf.h"
#include "base/chars.h"

static bool is_scheme_char(char c)
{
    return char_is_alnum(c) || char_is_one_of(c, "+-.");
}

/* A scheme and its colon. */
static bool take_scheme(struct str *text, struct str *scheme)
{
    struct str rest = *text;

    if (rest.len == 0 || !char_is_alpha(rest.ptr[0]))
        return false;

    size_t length = take_run(&rest, is_scheme_char);

    if (!take_char(&rest, ":"))
        return false;
    *scheme = (struct str){ text->ptr, length };
    *text = rest;
    return true;
}

/* Take what precedes the first character of `ends`. */
static struct str take_before(struct str *text, const char *ends)
{
    struct str part = { text->ptr, 0 };

    while (part.len < text->len && !char_is_one_of(text->ptr[part.len], ends))
        part.len++;
    *text = str_from(*text, part.len);
    return part;
}

struct uri uri_split(struct str text)
{
    struct uri uri = { 0 };

    uri.has_scheme = take_scheme(&text, &uri.scheme);
    if (str_starts_with(text, STR("//"))) {
        text = str_from(text, 2);
        uri.has_authority = true;
        uri.authority = take_before(&text, "/?#");
    }
    uri.path = take_before(&text, "?#");
    uri.has_query = take_char(&text, "?");
    if (uri.has_query)
        uri.query = take_before(&text, "#");
    uri.has_fragment = take_char(&text, "#");
    uri.fragment = text;
    return uri;
}

/* Resolving. */

/* Remove the last segment that was written, not before index `start`. */
static void drop_segment(struct buf *out, size_t start)
{
    while (out->len > start && out->ptr[out->len - 1] != '/')
        out->len--;
    if (out->len > start)
        out->len--;
}

/* RFC 3986 section 5.2.4, for a path that begins with "/". */
static void add_without_dots(struct buf *out, struct str path)
{
    size_t start = out->len;

    while (path.len > 0) {
        struct str rest = str_from(path, 1);
        struct str segment = take_before(&rest, "/");

        if (str_equal(segment, STR(".."))) {
            drop_segment(out, start);
        } else if (!str_equal(segment, STR("."))) {
            buf_add_char(out, '/');
            buf_add(out, segment);
            path = rest;
            continue;
        }
        /* A path whose last segment is `.` or `..` ends with a slash. */
        if (rest.len == 0)
            buf_add_char(out, '/');
        path = rest;
    }
}

/* Section 5.2.3: the reference's path replaces the last segment of the base's path. */
static void add_merged(struct buf *out, const struct uri *base, struct str path)
{
    CLEANUP(buf_done) struct buf merged;
    size_t keep = base->path.len;

    buf_init(&merged, base->path.len + path.len + 1);
    while (keep > 0 && base->path.ptr[keep - 1] != '/')
        keep--;
    if (base->has_authority && base->path.len == 0)
        buf_add_char(&merged, '/');
    buf_add(&merged, (struct str){ base->path.ptr, keep });
    buf_add(&merged, path);
    /* The path begins with a slash unless the base is relative. */
    if (merged.len > 0 && merged.ptr[0] == '/')
        add_without_dots(out, buf_str(&merged));
    else
        buf_add(out, buf_str(&merged));
}

static void add_path(struct buf *out, struct str path)
{
    if (next_is_one_of(path, "/"))
        add_without_dots(out, path);
    else
        buf_add(out, path);
}

static void add_prefix(struct buf *out, const struct uri *scheme, const struct uri *authority)
{
    if (scheme->has_scheme) {
        buf_add(out, scheme->scheme);
        buf_add_char(out, ':');
    }
    if (authority->has_authority) {
        buf_add(out, STR("//"));
        buf_add(out, authority->authority);
    }
}

static void add_query(struct buf *out, const struct uri *uri)
{
    if (!uri->has_query)
        return;
    buf_add_char(out, '?');
    buf_add(out, uri->query);
}

/* Section 5.2.2, for a reference without a scheme. */
static void add_relative(struct buf *out, const struct uri *base, const struct uri *reference)
{
    add_prefix(out, base, reference->has_authority ? reference : base);
    if (reference->has_authority || next_is_one_of(reference->path, "/")) {
        add_path(out, reference->path);
        add_query(out, reference);
    } else if (reference->path.len > 0) {
        add_merged(out, base, reference->path);
        add_query(out, reference);
    } else {
        buf_add(out, base->path);
        add_query(out, reference->has_query ? reference : base);
    }
}

/* "urn:x:y" has no segments that a path could replace. */
static bool is_hierarchical(const struct uri *uri)
{
    return !uri->has_scheme || uri->has_authority || next_is_one_of(uri->path, "/");
}

bool uri_resolve(struct arena *arena, struct str base, struct str reference, struct str *out)
{
    CLEANUP(buf_done) struct buf text;
    struct uri from = uri_split(base);
    struct uri to = uri_split(reference);

    buf_init(&text, base.len + reference.len + 8);
    if (to.has_scheme) {
        add_prefix(&text, &to, &to);
        add_path(&text, to.path);
        add_query(&text, &to);
    } else if (!is_hierarchical(&from) && (to.has_authority || to.path.len > 0)) {
        return false;
    } else {
        add_relative(&text, &from, &to);
    }
    if (to.has_fragment) {
        buf_add_char(&text, '#');
        buf_add(&text, to.fragment);
    }
    *out = arena_copy(arena, buf_str(&text));
    return true;
}

void uri_split_fragment(struct str uri, struct str *absolute, struct str *fragment)
{
    *absolute = take_until(&uri, '#');
    *fragment = uri;
}

/* Decoding. */

struct str uri_decode(struct arena *arena, struct str text)
{
    if (text.len == 0 || !memchr(text.ptr, '%', text.len))
        return text;

    char *decoded = arena_alloc(arena, text.len + 1);
    size_t len = 0;

    while (text.len > 0) {
        struct str rest = text;

        if (take_percent(&rest)) {
            decoded[len++] = (char)(char_hex_value(text.ptr[1]) << 4 | char_hex_value(text.ptr[2]));
        } else {
            decoded[len++] = text.ptr[0];
            rest = str_from(text, 1);
        }
        text = rest;
    }
    return (struct str){ decoded, len };
}
