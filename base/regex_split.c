/*
 * regex_split.c - a pattern that is too large for PCRE2 as two patterns of about half its size.
 *
 * Two passes: the first finds the groups, the second finds the `|` nearest to the middle of the
 * largest group. The whole pattern counts as a group.
 */
#include "base/memory.h"
#include "base/regex_ecma_internal.h"
#include "base/regex_internal.h"

struct group {
    size_t start; /* index after its opening */
    size_t end;   /* index of its ')' */
    size_t parent;
    bool has_bar; /* a `|` directly in it */
    bool fixed;   /* cannot be divided: repeated, or a look-around */
};

struct walk {
    struct ecma_scan scan;
    struct group *groups; /* the first one is the whole pattern */
    size_t count;
    size_t capacity;
    size_t open; /* index of the innermost open group */
    bool refers; /* there is a back-reference: nothing can be divided */

    /* Second pass: */
    size_t chosen; /* index of the group to divide */
    size_t middle;
    size_t bar; /* index of the `|` in it that is nearest to its middle; 0: none yet */
};

static void split_escape(struct walk *walk, bool in_class)
{
    struct ecma_escape escape;
    struct error ignored;

    if (!ecma_scan_escape(&walk->scan, in_class, &escape, &ignored))
        walk->scan.at = walk->scan.text.len;
    else if (escape.kind == ECMA_REFERENCE || escape.kind == ECMA_NAMED_REFERENCE)
        walk->refers = true;
}

static void split_class(struct walk *walk)
{
    walk->scan.at++;
    while (!ecma_scan_ended(&walk->scan) && !ecma_scan_accept(&walk->scan, "]")) {
        if (ecma_scan_peek(&walk->scan, "\\"))
            split_escape(walk, true);
        else
            walk->scan.at++;
    }
}

static void add_group(struct walk *walk, struct group group)
{
    walk->groups = mem_grow(walk->groups, walk->count, &walk->capacity, sizeof(group));
    walk->groups[walk->count] = group;
    walk->open = walk->count++;
}

static void split_open(struct walk *walk)
{
    struct group group = { .parent = walk->open };
    struct str name;

    group.fixed = ecma_scan_look(&walk->scan) != NULL;
    if (!group.fixed && ecma_scan_accept(&walk->scan, "(?<"))
        (void)ecma_scan_name(&walk->scan, &name);
    else if (!group.fixed && !ecma_scan_accept(&walk->scan, "(?:"))
        walk->scan.at++;
    group.start = walk->scan.at;
    add_group(walk, group);
}

static void split_close(struct walk *walk)
{
    struct group *group = &walk->groups[walk->open];

    group->end = walk->scan.at++;
    walk->open = group->parent;
    group->fixed = group->fixed || ecma_scan_peek(&walk->scan, "*") ||
                   ecma_scan_peek(&walk->scan, "+") || ecma_scan_peek(&walk->scan, "?") ||
                   ecma_scan_peek(&walk->scan, "{");
}

static size_t distance(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

static void note_bar(struct walk *walk)
{
    size_t at = walk->scan.at++;

    walk->groups[walk->open].has_bar = true;
    if (walk->open == walk->chosen &&
        (walk->bar == 0 || distance(at, walk->middle) < distance(walk->bar, walk->middle)))
        walk->bar = at;
}

static void walk_pattern(struct walk *walk)
{
    walk->scan.at = 0;
    walk->count = 0;
    add_group(walk, (struct group){ .end = walk->scan.text.len });
    while (!ecma_scan_ended(&walk->scan)) {
        switch (walk->scan.text.ptr[walk->scan.at]) {
        case '\\':
            split_escape(walk, false);
            break;
        case '[':
            split_class(walk);
            break;
        case '(':
            split_open(walk);
            break;
        case ')':
            split_close(walk);
            break;
        case '|':
            note_bar(walk);
            break;
        default:
            walk->scan.at++;
        }
    }
}

/* The index of the largest group with a `|` that can be divided; walk->count when there is none. */
static size_t choose(struct walk *walk)
{
    size_t best = walk->count;
    size_t most = 0;

    for (size_t i = 0; i < walk->count; i++) {
        struct group *group = &walk->groups[i];

        group->fixed = group->fixed || walk->groups[group->parent].fixed;
        if (group->has_bar && !group->fixed && group->end - group->start > most) {
            most = group->end - group->start;
            best = i;
        }
    }
    return best;
}

static void add_without(struct buf *out, struct str pattern, size_t from, size_t to)
{
    buf_add(out, (struct str){ pattern.ptr, from });
    buf_add(out, str_from(pattern, to));
}

bool regex_split(struct str pattern, struct buf *left, struct buf *right)
{
    struct walk walk = { .scan = { .text = pattern }, .chosen = SIZE_MAX };
    bool can;

    walk_pattern(&walk);
    walk.chosen = walk.refers ? walk.count : choose(&walk);
    can = walk.chosen < walk.count;
    if (can) {
        struct group chosen = walk.groups[walk.chosen];

        walk.middle = chosen.start + (chosen.end - chosen.start) / 2;
        walk_pattern(&walk);
        add_without(left, pattern, walk.bar, chosen.end);
        add_without(right, pattern, chosen.start, walk.bar + 1);
    }
    mem_free(walk.groups);
    return can;
}
