/*
 * matcher_cover.c - what can be known of matchers before any event comes.
 */
#include "base/chars.h"
#include "base/utf8.h"
#include "handlers/matcher_internal.h"
#include "handlers/pattern_internal.h"

/* Covering: certain, or false. */

/* Where two globs are compared. */
struct globs {
    struct str wide;
    struct str narrow;
    size_t w;
    size_t n;
    size_t star;  /* behind the last star in `wide`; 0: none yet */
    size_t taken; /* the end of what that star matches */
};

/* One step of `wide` and `narrow`. False: they differ here. */
static bool covers_next(struct globs *at)
{
    int narrow = (unsigned char)at->narrow.ptr[at->n];
    int wide = at->w < at->wide.len ? (unsigned char)at->wide.ptr[at->w] : -1;

    if (wide == '*') {
        at->star = ++at->w;
        at->taken = at->n;
    } else if (wide == '?' && narrow != '*') {
        at->w++;
        at->n = utf8_next(at->narrow, at->n);
    } else if (wide == narrow && narrow != '*') {
        at->w++;
        at->n++;
    } else if (at->star) {
        at->w = at->star;
        at->n = at->taken = utf8_next(at->narrow, at->taken);
    } else {
        return false;
    }
    return true;
}

/*
 * Does every text that `narrow` matches match `wide` too? Both are globs; `narrow` is read
 * as a text, in which only a star of `wide` matches a star.
 */
static bool covers_glob(struct str wide, struct str narrow)
{
    struct globs at = { .wide = wide, .narrow = narrow };

    while (at.n < narrow.len)
        if (!covers_next(&at))
            return false;
    while (at.w < wide.len && wide.ptr[at.w] == '*')
        at.w++;
    return at.w == wide.len;
}

static bool covers_value(const struct matcher_key *wide, const struct flat *narrow)
{
    for (size_t i = 0; i < wide->value_count; i++) {
        const struct flat *value = wide->values[i].source;

        if (flat_is_string(value)
                ? flat_is_string(narrow) && covers_glob(flat_str(value), flat_str(narrow))
                : flat_equal(value, narrow))
            return true;
    }
    return wide->is_any;
}

/* `narrow` NULL: it does not look at this key. */
static bool covers_key(const struct matcher_key *wide, const struct matcher_key *narrow)
{
    if (wide->is_any)
        return true;
    for (size_t i = 0; narrow && i < narrow->value_count; i++)
        if (!covers_value(wide, narrow->values[i].source))
            return false;
    return narrow ||
           covers_value(wide,
                        &(struct flat){ .kind = JSON_STRING, .text = "*", .len = 1, .size = 1 });
}

static const struct matcher_key *find_key(const struct matcher *matcher, struct str name)
{
    for (size_t i = 0; i < matcher->key_count; i++)
        if (str_equal(matcher->keys[i].name, name))
            return &matcher->keys[i];
    return NULL;
}

static bool covers_match(const struct matcher *wide, const struct matcher *narrow)
{
    for (size_t i = 0; i < wide->key_count; i++)
        if (!covers_key(&wide->keys[i], find_key(narrow, wide->keys[i].name)))
            return false;
    return true;
}

static bool has_element(const struct flat *list, const struct flat *wanted)
{
    for (FLAT_EACH(element, list))
        if (flat_equal(element, wanted))
            return true;
    return false;
}

static bool covers_list(const struct flat *wide, const struct flat *narrow)
{
    for (FLAT_EACH(element, narrow))
        if (!has_element(wide, element))
            return false;
    return true;
}

static bool covers_pattern(const struct flat *wide, const struct flat *narrow);

/* `narrow` NULL: it has no condition there. */
static bool covers_field(const struct flat *wide, const struct flat *narrow)
{
    if (!narrow || flat_kind(wide) != flat_kind(narrow))
        return false;
    if (flat_is_object(wide))
        return covers_pattern(wide, narrow);
    return str_equal(flat_key(wide), STR("$or")) ? flat_equal(wide, narrow)
                                                 : covers_list(wide, narrow);
}

/*
 * Are the conditions of `wide` those of `narrow`, or fewer, and its lists the same, or longer? Then
 * what meets `narrow` meets `wide` with the same elements of arrays. `$or` must be the same.
 */
static bool covers_pattern(const struct flat *wide, const struct flat *narrow)
{
    for (FLAT_EACH(member, wide))
        if (!covers_field(member, flat_find(narrow, flat_key(member))))
            return false;
    return true;
}

bool matcher_covers(const struct matcher *first, const struct matcher *later)
{
    return covers_match(first, later) &&
           (!first->source || (later->source && covers_pattern(first->source, later->source)));
}

/* Meeting: certain that it cannot, or true. */

static bool is_wild(struct str glob, size_t at)
{
    return at < glob.len && char_is_one_of(glob.ptr[at], "*?");
}

static bool has_wild(struct str glob)
{
    for (size_t i = 0; i < glob.len; i++)
        if (is_wild(glob, i))
            return true;
    return false;
}

/*
 * Can one text fit both globs? A `?` counts as a `*`. `row[j]` is the answer for the rests of `a`
 * from i on and of `b` from j on; `below` is the row of i + 1.
 */
static bool globs_meet(struct str a, struct str b, struct arena *arena)
{
    bool *row = arena_alloc(arena, b.len + 2);
    bool *below = arena_alloc(arena, b.len + 2);

    for (size_t i = a.len + 1; i-- > 0;) {
        memcpy(below, row, b.len + 2);
        for (size_t j = b.len + 1; j-- > 0;) {
            if (i == a.len && j == b.len)
                row[j] = true;
            else if (is_wild(a, i) || is_wild(b, j))
                row[j] = row[j + 1] || (i < a.len && below[j]);
            else
                row[j] = i < a.len && j < b.len && a.ptr[i] == b.ptr[j] && below[j + 1];
        }
    }
    return row[0];
}

/* Can a text that fits the glob meet one condition of a pattern? */
static bool condition_meets(const struct flat *source, struct str glob, struct arena *arena)
{
    const struct flat text = {
        .kind = JSON_STRING, .text = glob.ptr, .len = (uint32_t)glob.len, .size = 1
    };
    struct pattern_condition condition;
    struct error err;

    if (has_wild(glob))
        return flat_is_string(source) ? globs_meet(glob, flat_str(source), arena)
                                      : flat_is_object(source);
    return !pattern_compile_condition(arena, source, &condition, &err) ||
           pattern_meets(&condition, &text);
}

/* `wanted`: a value of `match`, or of the pattern. */
static bool wanted_meets(const struct flat *wanted, bool is_match, struct str glob,
                         struct arena *arena)
{
    bool is_list = flat_is_array(wanted);
    const struct flat *end = wanted + wanted->size;

    if (!is_match && !is_list)
        return false; /* an object, which no string fits */
    for (const struct flat *at = is_list ? wanted + 1 : wanted; at < end; at += at->size)
        if (is_match ? flat_is_string(at) && globs_meet(glob, flat_str(at), arena)
                     : condition_meets(at, glob, arena))
            return true;
    return false;
}

bool matcher_meets(const struct matcher *matcher, struct str key, struct str glob)
{
    const struct flat *tree = matcher->match ? matcher->match : matcher->source;
    const struct flat *wanted = tree ? flat_find(tree, key) : NULL;
    struct arena *arena = arena_create();
    bool meets = !wanted || wanted_meets(wanted, tree == matcher->match, glob, arena);

    arena_destroy(arena);
    return meets;
}
