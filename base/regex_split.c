/*
 * regex_split.c - see regex_split.h.
 *
 * The pattern is walked twice: once for its groups, then for the places at which the largest one
 * can be divided. The whole pattern counts as a group, too.
 */
#include "base/regex_split.h"

#include "base/memory.h"
#include "base/regex_ecma_scan.h"

struct group {
    size_t start; /* behind what opens it */
    size_t end;   /* where its ')' is */
    size_t parent;
    bool bars; /* it has a `|` of its own */
    bool bad;  /* repeated, or a look-around */
};

struct walk {
    struct ecma_scan scan;
    struct group *groups; /* the first one is the whole pattern */
    size_t count;
    size_t open; /* the innermost one */
    bool refers; /* there is a back-reference: nothing can be divided */

    /* The second time: */
    size_t chosen;
    size_t middle;
    size_t bar; /* the `|` of the chosen group that is nearest to its middle; 0: none yet */
};

static void skip_escape(struct walk *walk, bool in_class)
{
    struct ecma_escape escape;
    struct error ignored;

    if (!ecma_scan_escape(&walk->scan, in_class, &escape, &ignored))
        walk->scan.at = walk->scan.text.len;
    else if (escape.kind == ECMA_REFERENCE || escape.kind == ECMA_NAMED_REFERENCE)
        walk->refers = true;
}

static void skip_class(struct walk *walk)
{
    walk->scan.at++;
    while (!ecma_scan_ended(&walk->scan) && !ecma_scan_accept(&walk->scan, "]")) {
        if (ecma_scan_peek(&walk->scan, "\\"))
            skip_escape(walk, true);
        else
            walk->scan.at++;
    }
}

static void step_into(struct walk *walk, bool looks)
{
    struct str name;

    if (ecma_scan_accept(&walk->scan, "(?:"))
        return;
    if (!looks && ecma_scan_accept(&walk->scan, "(?<"))
        (void)ecma_scan_name(&walk->scan, &name);
    else
        walk->scan.at++;
}

static void open_group(struct walk *walk)
{
    static const char *const looks[] = { "(?=", "(?!", "(?<=", "(?<!" };
    struct group group = { .parent = walk->open };

    for (size_t i = 0; i < COUNT_OF(looks); i++)
        group.bad = group.bad || ecma_scan_peek(&walk->scan, looks[i]);
    step_into(walk, group.bad);
    group.start = walk->scan.at;
    walk->groups = mem_realloc(walk->groups, (walk->count + 1) * sizeof(group));
    walk->groups[walk->count] = group;
    walk->open = walk->count++;
}

static void close_group(struct walk *walk)
{
    struct group *group = &walk->groups[walk->open];

    group->end = walk->scan.at++;
    walk->open = group->parent;
    group->bad = group->bad || ecma_scan_peek(&walk->scan, "*") ||
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

    walk->groups[walk->open].bars = true;
    if (walk->open == walk->chosen &&
        (walk->bar == 0 || distance(at, walk->middle) < distance(walk->bar, walk->middle)))
        walk->bar = at;
}

static void walk_pattern(struct walk *walk)
{
    walk->scan.at = 0;
    walk->count = 1;
    walk->open = 0;
    walk->groups[0] = (struct group){ .end = walk->scan.text.len };
    while (!ecma_scan_ended(&walk->scan)) {
        switch (walk->scan.text.ptr[walk->scan.at]) {
        case '\\':
            skip_escape(walk, false);
            break;
        case '[':
            skip_class(walk);
            break;
        case '(':
            open_group(walk);
            break;
        case ')':
            close_group(walk);
            break;
        case '|':
            note_bar(walk);
            break;
        default:
            walk->scan.at++;
        }
    }
}

/* The largest group with alternatives, in no group that is bad; walk->count: there is none. */
static size_t choose(struct walk *walk)
{
    size_t best = walk->count;
    size_t most = 0;

    for (size_t i = 0; i < walk->count; i++) {
        struct group *group = &walk->groups[i];

        group->bad = group->bad || walk->groups[group->parent].bad;
        if (group->bars && !group->bad && group->end - group->start > most) {
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

    walk.groups = mem_alloc(sizeof(struct group));
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
