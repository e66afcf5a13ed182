/*
 * s3_name.c - see s3_name.h.
 */
#include "delivery/sinks/s3_name.h"

#include "base/chars.h"
#include "base/clock.h"
#include "base/flat.h"
#include "delivery/record_format.h"
#include "delivery/record_text.h"

struct s3_prefix {
    struct record_format *format; /* NULL: the prefix is empty */
    bool needs_record;            /* a part is read from the record's bytes */
    struct str time_text;
    struct json_pointer *time; /* NULL: the time of acceptance */
};

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* Is the key, or its start, made of plain segments? S3 takes others, and many of its readers not.
 */
static bool check_shape(struct str key, struct error *err)
{
    for (size_t i = 0; i < key.len; i++)
        if (is_control(key.ptr[i]))
            return fail(err, ERR_CONFIG, "has a control character");
    while (key.len > 0) {
        bool is_last = !memchr(key.ptr, '/', key.len);
        struct str segment = take_until(&key, '/');

        if (segment.len == 0)
            return fail(err, ERR_CONFIG, "has a / at its start or behind another /");
        if (!is_last && (str_equal(segment, STR(".")) || str_equal(segment, STR(".."))))
            return fail(err, ERR_CONFIG, "has %.*s between slashes", STR_ARG(segment));
    }
    return true;
}

/* Characters with a meaning in paths and partitions: encoded as Hive does it. */
static bool is_plain(char c)
{
    return !is_control(c) && !char_is_one_of(c, "\"#%'*/:=?\\{}[]^");
}

/* U+0080 to U+009F are control characters, too. */
static bool is_c1(struct str text, size_t i)
{
    return (unsigned char)text.ptr[i] == 0xc2 && i + 1 < text.len &&
           (unsigned char)text.ptr[i + 1] < 0xa0;
}

static bool is_dot(char c)
{
    return c == '.';
}

static void add_value(struct buf *out, struct str value)
{
    bool is_dots = all_are(value, is_dot);
    size_t c1_end = 0;

    for (size_t i = 0; i < value.len; i++) {
        if (is_c1(value, i))
            c1_end = i + 2;
        if (is_plain(value.ptr[i]) && !is_dots && i >= c1_end)
            buf_add_char(out, value.ptr[i]);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)value.ptr[i]);
    }
}

/* The time of a record, if its prefix needs it. */
static bool find_time(const struct s3_prefix *prefix, const struct sink_record *record,
                      const struct flat *tree, int64_t *us, struct error *err)
{
    const struct flat *value = NULL;

    *us = record->accepted_us;
    if (!prefix->time || !record_format_needs_time(prefix->format))
        return true;
    if (flat_pointer_find(prefix->time, tree, &value, NULL) == JSON_FOUND && record_time(value, us))
        return true;
    return fail(err, ERR_INVALID, "the record has no time at %.*s", STR_ARG(prefix->time_text));
}

static bool fill_prefix(const struct s3_prefix *prefix, const struct sink_record *record,
                        struct arena *arena, struct str *out, struct error *err)
{
    CLEANUP(arena_cleanup) struct arena *reading = arena_create();
    const struct flat_options options = { .max_depth = JSON_DEPTH_LIMIT };
    struct record_format_place place = { .max = S3_PREFIX_MAX,
                                         .arena = arena,
                                         .add_value = add_value };

    if (prefix->needs_record && !flat_read(reading, record->bytes, &options, &place.record, err))
        return fail_within(err, "the record is not JSON");
    return find_time(prefix, record, place.record, &place.time_us, err) &&
           record_format_fill(prefix->format, &place, out, err) && check_shape(*out, err);
}

bool s3_prefix_make(const struct s3_prefix *prefix, const struct sink_record *record,
                    struct arena *arena, struct str *out, const char **reason)
{
    struct error err;

    *out = STR("");
    if (!prefix->format || fill_prefix(prefix, record, arena, out, &err))
        return true;
    *reason = arena_printf(arena, "the prefix of its object: %s", err.text).ptr;
    return false;
}

static void destroy_format(void *format)
{
    record_format_destroy(format);
}

static void destroy_pointer(void *pointer)
{
    json_pointer_destroy(pointer);
}

static bool compile(struct s3_prefix *prefix, struct str text, struct arena *arena,
                    struct error *err)
{
    struct buf *example = arena_buf(arena, S3_PREFIX_MAX);

    if (prefix->time_text.len > 0) {
        if (!json_pointer_create(prefix->time_text, &prefix->time, err))
            return false;
        arena_own(arena, prefix->time, destroy_pointer);
    }
    if (text.len == 0)
        return true;
    if (!record_format_create_timed(text, &prefix->format, err))
        return false;
    arena_own(arena, prefix->format, destroy_format);
    prefix->needs_record = record_format_needs_record(prefix->format) ||
                           (prefix->time && record_format_needs_time(prefix->format));
    record_format_example(prefix->format, example);
    if (example->overflow)
        return fail(err, ERR_CONFIG, "expected at most %d bytes", S3_PREFIX_MAX);
    return check_shape(buf_str(example), err);
}

bool s3_prefix_compile(struct str text, struct str time, struct arena *arena,
                       const struct s3_prefix **out, struct error *err)
{
    struct s3_prefix *prefix = arena_alloc(arena, sizeof(*prefix));

    prefix->time_text = time;
    if (!compile(prefix, text, arena, err)) {
        err->code = ERR_CONFIG;
        return false;
    }
    *out = prefix;
    return true;
}

struct str s3_name(const struct s3_name_parts *parts, struct arena *arena)
{
    static const char *const ends[] = {
        [COMPRESS_NONE] = "",
        [COMPRESS_GZIP] = ".gz",
        [COMPRESS_ZSTD] = ".zst",
    };
    struct str digest = parts->digest;

    if (digest.len > S3_DIGEST_DIGITS)
        digest.len = S3_DIGEST_DIGITS;
    return arena_printf(arena, "%.*s%.*s-%012lld%s%.*s.ndjson%s", STR_ARG(parts->prefix),
                        STR_ARG(parts->store), (long long)parts->first, digest.len ? "-" : "",
                        STR_ARG(digest), ends[parts->format]);
}
