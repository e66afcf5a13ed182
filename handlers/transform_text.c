/*
 * transform_text.c - conversions of texts.
 *
 * Positions and lengths are in code points.
 */
#include "base/secret.h"
#include "base/utf8.h"
#include "handlers/transform_internal.h"

enum { REGEX_STEPS_PER_STEP = 4 };

static bool is_text(struct transform_run *run, const struct flat *value)
{
    if (!flat_is_string(value))
        run->why = "is not a string";
    return flat_is_string(value);
}

TRANSFORM_CONVERT(transform_lower)
{
    (void)step;
    if (!is_text(run, *value))
        return TRANSFORM_IMPOSSIBLE;
    buf_clear(&run->work);
    utf8_lower(&run->work, flat_str(*value));
    return transform_make_work(run, value);
}

TRANSFORM_CONVERT(transform_upper)
{
    (void)step;
    if (!is_text(run, *value))
        return TRANSFORM_IMPOSSIBLE;
    buf_clear(&run->work);
    utf8_upper(&run->work, flat_str(*value));
    return transform_make_work(run, value);
}

/* White space and line terminators of ECMA-262. */
static bool is_white(uint32_t code)
{
    return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
           code == 0x202F || code == 0x205F || code == 0x3000 || code == 0xFEFF;
}

/* Where the last character of the text begins. */
static size_t last_character(struct str text)
{
    size_t at = text.len - 1;

    while (at > 0 && utf8_continues((unsigned char)text.ptr[at]))
        at--;
    return at;
}

TRANSFORM_CONVERT(transform_trim)
{
    struct str text = flat_str(*value);
    struct str rest = text;
    uint32_t code;

    (void)step;
    if (!is_text(run, *value))
        return TRANSFORM_IMPOSSIBLE;
    while (utf8_take(&rest, &code) && is_white(code))
        text = rest;
    while (text.len > 0) {
        size_t at = last_character(text);

        rest = str_from(text, at);
        if (!utf8_take(&rest, &code) || !is_white(code))
            break;
        text.len = at;
    }
    return transform_slice_of(run, JSON_STRING, text, value);
}

static enum transform_made make_hex(struct transform_run *run,
                                    const uint8_t digest[static SECRET_DIGEST_SIZE], size_t read,
                                    const struct flat **value)
{
    if (!transform_spend(run, read))
        return TRANSFORM_IMPOSSIBLE;
    buf_clear(&run->work);
    buf_add_hex(&run->work, digest, SECRET_DIGEST_SIZE);
    return transform_make_work(run, value);
}

TRANSFORM_CONVERT(transform_sha256)
{
    uint8_t digest[SECRET_DIGEST_SIZE];

    (void)step;
    if (!is_text(run, *value))
        return TRANSFORM_IMPOSSIBLE;
    secret_digest(flat_str(*value), digest);
    return make_hex(run, digest, (*value)->len, value);
}

TRANSFORM_CONVERT(transform_hmac)
{
    uint8_t mac[SECRET_DIGEST_SIZE];
    struct str text = flat_str(*value);

    if (!is_text(run, *value))
        return TRANSFORM_IMPOSSIBLE;
    secret_hmac(step->text, &text, 1, mac);
    return make_hex(run, mac, text.len, value);
}

/* The index of the byte at which code point `at` begins; the length when there are fewer. */
static size_t byte_of(struct str text, size_t at)
{
    size_t byte = 0;

    for (size_t i = 0; i < at && byte < text.len; i++)
        byte = utf8_next(text, byte);
    return byte;
}

TRANSFORM_CONVERT(transform_mask)
{
    struct str text = flat_str(*value);
    size_t keep = (size_t)step->from;
    size_t count;

    if (!is_text(run, *value))
        return TRANSFORM_IMPOSSIBLE;
    count = utf8_count(text);
    if (count < keep)
        keep = 0;
    buf_clear(&run->work);
    for (size_t i = 0; i < count - keep; i++)
        buf_add_char(&run->work, '*');
    buf_add(&run->work, str_from(text, byte_of(text, count - keep)));
    return transform_make_work(run, value);
}

/* A position from 0 to `count`; a negative one counts from the end. */
static size_t position(int64_t at, size_t count)
{
    if (at < 0)
        at = (uint64_t)-at > count ? 0 : (int64_t)count + at;
    return (uint64_t)at > count ? count : (size_t)at;
}

TRANSFORM_CONVERT(transform_slice)
{
    struct str text = flat_str(*value);
    size_t count;
    size_t from;
    size_t to;

    if (!is_text(run, *value))
        return TRANSFORM_IMPOSSIBLE;
    count = utf8_count(text);
    from = byte_of(text, position(step->from, count));
    to = byte_of(text, position(step->to, count));
    text = to > from ? (struct str){ text.ptr + from, to - from } : STR("");
    return transform_slice_of(run, JSON_STRING, text, value);
}

/* Lists. */

static size_t count_pieces(struct str text, struct str separator)
{
    size_t count = 1;
    const char *at;

    while (count <= TRANSFORM_ITEMS_MAX && text.len > 0 &&
           (at = memmem(text.ptr, text.len, separator.ptr, separator.len)) != NULL) {
        text = str_from(text, (size_t)(at - text.ptr) + separator.len);
        count++;
    }
    return count;
}

TRANSFORM_CONVERT(transform_split)
{
    struct str rest = flat_str(*value);
    struct str separator = step->text;
    struct flat *array;
    size_t count;

    if (!is_text(run, *value))
        return TRANSFORM_IMPOSSIBLE;
    count = count_pieces(rest, separator);
    if (count > TRANSFORM_ITEMS_MAX)
        return transform_cannot(run, "has more than 10000 parts");
    if (!transform_spend(run, count + rest.len))
        return TRANSFORM_IMPOSSIBLE;
    run->made_bytes += (count + 1) * sizeof(*array);
    array = arena_alloc(transform_made_arena(run), (count + 1) * sizeof(*array));
    array[0] = (struct flat){ .len = (uint32_t)count,
                              .symbol = FLAT_NO_SYMBOL,
                              .size = (uint32_t)count + 1,
                              .kind = JSON_ARRAY };
    for (size_t i = 0; i < count; i++) {
        const char *at =
            rest.len > 0 ? memmem(rest.ptr, rest.len, separator.ptr, separator.len) : NULL;
        size_t len = at ? (size_t)(at - rest.ptr) : rest.len;

        array[i + 1] = (struct flat){ .text = len > 0 ? rest.ptr : "",
                                      .len = (uint32_t)len,
                                      .symbol = FLAT_NO_SYMBOL,
                                      .size = 1,
                                      .index = (uint32_t)i,
                                      .kind = JSON_STRING };
        rest = str_from(rest, len + separator.len);
    }
    *value = array;
    return TRANSFORM_MADE;
}

TRANSFORM_CONVERT(transform_join)
{
    if (!flat_is_array(*value))
        return transform_cannot(run, "is not an array");
    buf_clear(&run->work);
    for (FLAT_EACH(element, *value)) {
        if (flat_is_array(element) || flat_is_object(element))
            return transform_cannot(run, "has an element that is not a text, number or boolean");
        if (element->index > 0)
            buf_add(&run->work, step->text);
        transform_add_text(&run->work, element);
    }
    return transform_make_work(run, value);
}

/* Regular expressions. */

/* The searches of one conversion. */
struct searching {
    const struct regex *regex;
    struct str text;
    uint64_t left; /* steps that they may take */
    bool found;
    struct regex_span groups[REGEX_GROUPS];
};

static struct searching begin_search(const struct transform_run *run,
                                     const struct transform_step *step, struct str text)
{
    const struct schema_budget *budget = run->input->budget;
    uint64_t left = schema_budget_left(budget);

    if (budget && budget->pattern_steps && budget->pattern_steps < left)
        left = budget->pattern_steps;
    return (struct searching){ .regex = step->regex, .text = text, .left = left };
}

/* Search from index `from` on. False with run->err: it costs too much. */
static bool search_from(struct transform_run *run, struct searching *searching, size_t from)
{
    uint64_t before = searching->left;
    enum regex_verdict verdict =
        regex_match(searching->regex, searching->text, from, &searching->left, searching->groups);

    searching->found = verdict == REGEX_MATCH;
    if (verdict == REGEX_TOO_EXPENSIVE || verdict == REGEX_OVER_LIMIT)
        return fail(run->err, ERR_TOO_EXPENSIVE, "%s", schema_verdict_text(SCHEMA_TOO_EXPENSIVE));
    return transform_spend(run, 1 + (before - searching->left) / REGEX_STEPS_PER_STEP);
}

TRANSFORM_CONVERT(transform_extract)
{
    struct searching searching = begin_search(run, step, flat_str(*value));
    const struct regex_span *span = &searching.groups[regex_group_count(step->regex) > 0 ? 1 : 0];
    struct str text = searching.text;

    if (!is_text(run, *value) || !search_from(run, &searching, 0))
        return TRANSFORM_IMPOSSIBLE;
    if (!searching.found || span->start == REGEX_NO_SPAN)
        return TRANSFORM_NOTHING;
    text.ptr += span->start;
    text.len = span->end - span->start;
    return transform_slice_of(run, JSON_STRING, text, value);
}

/* Add what replaces a match. */
static void add_replacement(struct buf *out, const struct transform_step *step,
                            const struct searching *searching)
{
    for (size_t i = 0; i < step->piece_count; i++) {
        const struct transform_piece *piece = &step->pieces[i];
        const struct regex_span *span = piece->group >= 0 ? &searching->groups[piece->group] : NULL;

        buf_add(out, piece->text);
        if (span && span->start != REGEX_NO_SPAN)
            buf_add(out,
                    (struct str){ searching->text.ptr + span->start, span->end - span->start });
    }
}

TRANSFORM_CONVERT(transform_replace)
{
    struct searching searching = begin_search(run, step, flat_str(*value));
    const struct regex_span *match = &searching.groups[0];
    struct str text = searching.text;
    size_t done = 0; /* bytes that are in the result */
    size_t at = 0;

    if (!is_text(run, *value))
        return TRANSFORM_IMPOSSIBLE;
    buf_clear(&run->work);
    while (at <= text.len && !run->work.overflow) {
        if (!search_from(run, &searching, at))
            return TRANSFORM_IMPOSSIBLE;
        if (!searching.found)
            break;
        buf_add(&run->work, (struct str){ text.ptr + done, match->start - done });
        add_replacement(&run->work, step, &searching);
        done = match->end;
        /* After an empty match the search goes on behind the next character. */
        at = match->end > match->start ? done : utf8_next(text, done);
    }
    buf_add(&run->work, str_from(text, done));
    return transform_make_work(run, value);
}
