/*
 * regex_can_match.c - patterns that match no text, such as `[]` and `a^b`.
 *
 * Two facts decide whether `^` and `$` can hold: whether the match has taken a character, and
 * whether the text must end here. The four combinations are the states. Each part of a pattern maps
 * a state to the states that can follow it.
 */
/* NOLINTBEGIN(misc-no-recursion): as deep as groups, which regex_ecma_rewrite() limits */
#include "base/chars.h"
#include "base/regex.h"
#include "base/regex_ecma_internal.h"
#include "base/utf8.h"

enum {
    TAKEN = 1, /* bits of a state */
    ENDED = 2,
    STATES = 4,
    COUNT_MAX = 65535, /* of a quantifier */
};

#define STATE(state) ((uint8_t)(1U << (state)))

/* For each state the states, as bits, that can follow it. */
struct effect {
    uint8_t to[STATES];
};

static const struct effect no_text = { { 0 } };
static const struct effect no_character = { { STATE(0), STATE(TAKEN), STATE(ENDED),
                                              STATE(TAKEN | ENDED) } };
static const struct effect one_character = { { STATE(TAKEN), STATE(TAKEN), 0, 0 } };
static const struct effect text_start = { { STATE(0), 0, STATE(ENDED), 0 } };
static const struct effect text_end = { { STATE(ENDED), STATE(TAKEN | ENDED), STATE(ENDED),
                                          STATE(TAKEN | ENDED) } };

static struct effect first_then(struct effect first, struct effect second)
{
    struct effect both = no_text;

    for (int state = 0; state < STATES; state++)
        for (int between = 0; between < STATES; between++)
            if (first.to[state] & STATE(between))
                both.to[state] |= second.to[between];
    return both;
}

static struct effect either_of(struct effect one, struct effect other)
{
    for (int state = 0; state < STATES; state++)
        one.to[state] |= other.to[state];
    return one;
}

/* States only gain bits, so more than STATES repetitions lead nowhere else. */
static struct effect repeated(struct effect part, unsigned least, unsigned most)
{
    struct effect all = no_character;
    unsigned more = most - least;

    for (unsigned i = 0; i < least && i < STATES; i++)
        all = first_then(all, part);
    for (unsigned i = 0; i < more && i < STATES; i++)
        all = first_then(all, either_of(no_character, part));
    return all;
}

static struct effect take_part(struct ecma_scan *scan);

/* One branch of an alternation, up to its `|` or `)` or the end. */
static struct effect take_branch(struct ecma_scan *scan)
{
    struct effect all = no_character;

    while (!ecma_scan_ended(scan) && !ecma_scan_peek(scan, "|") && !ecma_scan_peek(scan, ")"))
        all = first_then(all, take_part(scan));
    return all;
}

static struct effect take_branches(struct ecma_scan *scan)
{
    struct effect all = take_branch(scan);

    while (ecma_scan_accept(scan, "|"))
        all = either_of(all, take_branch(scan));
    return all;
}

/* What is looked for must be possible. What must not be there says nothing. */
static struct effect of_look(const char *look, struct effect inside)
{
    struct effect all = no_character;
    bool behind = strcmp(look, "(?<=") == 0;

    if (!behind && strcmp(look, "(?=") != 0)
        return all;
    for (int state = 0; state < STATES; state++)
        if (inside.to[behind ? 0 : state] == 0)
            all.to[state] = 0;
    return all;
}

static struct effect take_group(struct ecma_scan *scan)
{
    const char *look = ecma_scan_look(scan);
    struct effect inside;
    struct str name;

    if (!look && ecma_scan_accept(scan, "(?<"))
        (void)ecma_scan_name(scan, &name);
    else if (!look && !ecma_scan_accept(scan, "(?:"))
        scan->at++;
    inside = take_branches(scan);
    (void)ecma_scan_accept(scan, ")");
    return look ? of_look(look, inside) : inside;
}

static struct effect take_escape_effect(struct ecma_scan *scan, bool in_class)
{
    struct ecma_escape escape = { .kind = ECMA_CHARACTER };
    struct error ignored;

    if (!ecma_scan_escape(scan, in_class, &escape, &ignored) || escape.kind == ECMA_BOUNDARY)
        return no_character;
    if (escape.kind == ECMA_REFERENCE || escape.kind == ECMA_NAMED_REFERENCE)
        return either_of(no_character, one_character);
    return one_character;
}

static struct effect take_class_effect(struct ecma_scan *scan)
{
    if (ecma_scan_accept(scan, "[]"))
        return no_text;
    scan->at++;
    while (!ecma_scan_ended(scan) && !ecma_scan_accept(scan, "]")) {
        if (ecma_scan_peek(scan, "\\"))
            (void)take_escape_effect(scan, true);
        else
            scan->at++;
    }
    return one_character;
}

static struct effect take_atom(struct ecma_scan *scan)
{
    if (ecma_scan_peek(scan, "("))
        return take_group(scan);
    if (ecma_scan_peek(scan, "["))
        return take_class_effect(scan);
    if (ecma_scan_peek(scan, "\\"))
        return take_escape_effect(scan, false);
    if (ecma_scan_accept(scan, "^"))
        return text_start;
    if (ecma_scan_accept(scan, "$"))
        return text_end;
    scan->at = utf8_next(scan->text, scan->at);
    return one_character;
}

/* Digits; without any: `none`. */
static unsigned take_repeats(struct ecma_scan *scan, unsigned none)
{
    unsigned number = 0;
    size_t start = scan->at;

    while (!ecma_scan_ended(scan) && char_is_digit(scan->text.ptr[scan->at])) {
        number = number * 10 + (unsigned)(scan->text.ptr[scan->at++] - '0');
        number = number < COUNT_MAX ? number : COUNT_MAX;
    }
    return scan->at > start ? number : none;
}

/* `{2}`, `{2,}` or `{2,3}`. */
static struct effect take_count(struct ecma_scan *scan, struct effect part)
{
    scan->at++;

    unsigned least = take_repeats(scan, 0);
    unsigned most = least;

    if (ecma_scan_accept(scan, ","))
        most = take_repeats(scan, COUNT_MAX);
    scan->at++;
    return repeated(part, least, most);
}

/* An atom with its quantifier. */
static struct effect take_part(struct ecma_scan *scan)
{
    struct effect part = take_atom(scan);

    if (ecma_scan_accept(scan, "*"))
        part = repeated(part, 0, COUNT_MAX);
    else if (ecma_scan_accept(scan, "+"))
        part = repeated(part, 1, COUNT_MAX);
    else if (ecma_scan_accept(scan, "?"))
        part = repeated(part, 0, 1);
    else if (ecma_scan_peek(scan, "{") && ecma_scan_count(scan).length > 0)
        part = take_count(scan, part);
    else
        return part;
    (void)ecma_scan_accept(scan, "?"); /* lazy */
    return part;
}

bool regex_can_match(struct str pattern)
{
    struct ecma_scan scan = { .text = pattern };

    return take_branches(&scan).to[0] != 0;
}
/* NOLINTEND(misc-no-recursion) */
