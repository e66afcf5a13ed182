/*
 * transform_copy.c - `copy`: the members of an object, without some, among a record's fields.
 *
 * A copied member may have the name of another field, which only the event shows. So the places of
 * all members of such an object are noted, and where a name is there twice the object is written
 * again: the last value, at the place of the first.
 */
/* NOLINTBEGIN(misc-no-recursion): as deep as a pointer of `without` has tokens */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "handlers/transform_internal.h"

/* What is cut at the member or element `token`; NULL: nothing. */
static const struct transform_cut *cut_at(const struct transform_cut *cut, struct str token)
{
    for (size_t i = 0; cut && i < cut->inner_count; i++)
        if (str_equal(cut->inner[i].token, token))
            return &cut->inner[i];
    return NULL;
}

static const struct transform_cut *cut_at_child(const struct transform_cut *cut,
                                                const struct flat *child, bool is_member)
{
    char digits[16];

    if (is_member)
        return cut_at(cut, flat_key(child));
    (void)snprintf(digits, sizeof(digits), "%u", child->index);
    return cut_at(cut, str_from_c(digits));
}

static void write_without(struct transform_run *run, const struct flat *value,
                          const struct transform_cut *cut);

/* Write what is in a container, with commas. */
static void write_children(struct transform_run *run, const struct flat *container,
                           const struct transform_cut *cut, bool notes)
{
    struct buf *out = run->out;
    size_t begin = out->len;

    for (FLAT_EACH(child, container)) {
        bool is_member = flat_is_object(container);
        const struct transform_cut *inner = cut ? cut_at_child(cut, child, is_member) : NULL;

        if (out->overflow || (inner && inner->whole))
            continue;
        if (out->len > begin)
            buf_add_char(out, ',');

        size_t start = out->len;

        if (is_member)
            flat_write_key(out, child);

        size_t key_len = out->len - start;

        if (is_member)
            buf_add_char(out, ':');
        write_without(run, child, inner);
        if (notes)
            transform_note_member(run, start, key_len);
    }
}

static void write_without(struct transform_run *run, const struct flat *value,
                          const struct transform_cut *cut)
{
    bool is_object = flat_is_object(value);

    if (!cut || !(is_object || flat_is_array(value))) {
        flat_write(run->out, value);
        return;
    }
    buf_add_char(run->out, is_object ? '{' : '[');
    write_children(run, value, cut, false);
    buf_add_char(run->out, is_object ? '}' : ']');
}

void transform_copy(struct transform_run *run, const struct flat *object,
                    const struct transform_cut *cut)
{
    write_children(run, object, cut, true);
}

/* Names that are there twice. */

void transform_note_member(struct transform_run *run, size_t start, size_t key_len)
{
    run->members =
        mem_grow(run->members, run->member_count, &run->member_capacity, sizeof(*run->members));
    run->members[run->member_count++] = (struct transform_member){ start, key_len, run->out->len };
}

/* A member with its name, to be sorted. */
struct named {
    struct str key;
    size_t at; /* its place among the members */
};

static int compare_members(const void *a, const void *b)
{
    const struct named *left = a;
    const struct named *right = b;
    int order = str_compare(left->key, right->key);

    return order ? order : (left->at > right->at) - (left->at < right->at);
}

/*
 * Decide which member is written in the place of each: `winners`, SIZE_MAX for none. True: some are
 * there twice.
 */
static bool find_winners(const struct named *sorted, size_t count, size_t *winners)
{
    bool twice = false;

    for (size_t i = 0; i < count;) {
        size_t end = i + 1;

        while (end < count && str_equal(sorted[end].key, sorted[i].key))
            winners[sorted[end++].at] = SIZE_MAX;
        winners[sorted[i].at] = sorted[end - 1].at;
        twice = twice || end - i > 1;
        i = end;
    }
    return twice;
}

/* Write the members from `start` on again, each winner at its place. */
static void write_again(struct transform_run *run, const struct transform_member *members,
                        const size_t *winners, size_t start)
{
    CLEANUP(buf_done) struct buf merged;
    const struct transform_member *end = run->members + run->member_count;
    struct buf *out = run->out;

    buf_init(&merged, out->max);
    for (size_t i = 0; members + i < end; i++) {
        const struct transform_member *member;

        if (winners[i] == SIZE_MAX)
            continue;
        member = &members[winners[i]];
        if (merged.len > 0)
            buf_add_char(&merged, ',');
        buf_add(&merged, (struct str){ out->ptr + member->start, member->end - member->start });
    }
    assert(merged.ptr); /* there is a winner */
    out->len = start;
    buf_add(out, buf_str(&merged));
}

bool transform_merge(struct transform_run *run, size_t first, size_t start)
{
    size_t count = run->member_count - first;
    struct named *names;
    size_t *winners;

    if (!transform_spend(run, count * 2))
        return false;
    if (count > 1 && !run->out->overflow) {
        names = mem_alloc_array(count, sizeof(*names));
        winners = mem_alloc_array(count, sizeof(*winners));
        for (size_t i = 0; i < count; i++) {
            const struct transform_member *member = &run->members[first + i];

            names[i] = (struct named){ { run->out->ptr + member->start, member->key_len }, i };
        }
        qsort(names, count, sizeof(*names), compare_members);
        if (find_winners(names, count, winners))
            write_again(run, run->members + first, winners, start);
        mem_free(winners);
        mem_free(names);
    }
    run->member_count = first;
    return true;
}
/* NOLINTEND(misc-no-recursion) */
