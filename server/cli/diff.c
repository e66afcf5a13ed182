/*
 * diff.c - see diff.h.
 *
 * What both texts begin and end with is put aside; the longest common subsequence of the rest is
 * found by the textbook's table, which is why there is a bound to its size. Beyond it the rest of
 * the old text is shown as removed and that of the new as added.
 */
#include "server/cli/diff.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"

enum { CONTEXT = 3, TABLE_MAX = 16 * 1024 * 1024 };

struct lines {
    struct str *list;
    size_t count;
};

/* One line of the outcome: of both texts (' '), of the old ('-') or of the new ('+'). */
struct edit {
    char kind;
    struct str line;
};

struct script {
    struct edit *list;
    size_t count;
};

static struct lines split(struct str text)
{
    struct lines lines = { 0 };
    size_t capacity = 1;

    for (size_t i = 0; i < text.len; i++)
        capacity += text.ptr[i] == '\n';
    lines.list = mem_alloc_array(capacity, sizeof(struct str));
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;

        lines.list[lines.count++] = (struct str){ text.ptr, len };
        text = str_from(text, len + 1);
    }
    return lines;
}

static void add(struct script *script, char kind, struct str line)
{
    script->list[script->count++] = (struct edit){ kind, line };
}

static void add_all(struct script *script, char kind, struct lines lines)
{
    for (size_t i = 0; i < lines.count; i++)
        add(script, kind, lines.list[i]);
}

/* table[i][j]: how many lines the texts from i and from j on have in common. */
static uint32_t *measure(struct lines a, struct lines b)
{
    size_t width = b.count + 1;
    uint32_t *table = mem_alloc_array((a.count + 1) * width, sizeof(*table));

    for (size_t i = a.count; i-- > 0;)
        for (size_t j = b.count; j-- > 0;) {
            uint32_t down = table[(i + 1) * width + j];
            uint32_t right = table[i * width + j + 1];

            if (str_equal(a.list[i], b.list[j]))
                table[i * width + j] = table[(i + 1) * width + j + 1] + 1;
            else
                table[i * width + j] = down > right ? down : right;
        }
    return table;
}

static void compare(struct script *script, struct lines a, struct lines b)
{
    size_t width = b.count + 1;
    size_t i = 0;
    size_t j = 0;

    if ((a.count + 1) > TABLE_MAX / width) {
        add_all(script, '-', a);
        add_all(script, '+', b);
        return;
    }

    uint32_t *table = measure(a, b);

    while (i < a.count || j < b.count) {
        if (i < a.count && j < b.count && str_equal(a.list[i], b.list[j])) {
            add(script, ' ', a.list[i++]);
            j++;
        } else if (j == b.count ||
                   (i < a.count && table[(i + 1) * width + j] >= table[i * width + j + 1])) {
            add(script, '-', a.list[i++]);
        } else {
            add(script, '+', b.list[j++]);
        }
    }
    mem_free(table);
}

static void make_script(struct script *script, struct lines a, struct lines b)
{
    size_t same = 0;
    size_t end = 0;

    script->list = mem_alloc_array(a.count + b.count, sizeof(struct edit));
    while (same < a.count && same < b.count && str_equal(a.list[same], b.list[same]))
        add(script, ' ', a.list[same++]);
    while (end < a.count - same && end < b.count - same &&
           str_equal(a.list[a.count - 1 - end], b.list[b.count - 1 - end]))
        end++;
    compare(script, (struct lines){ a.list + same, a.count - same - end },
            (struct lines){ b.list + same, b.count - same - end });
    add_all(script, ' ', (struct lines){ a.list + a.count - end, end });
}

/* The next change at or after `at`; `count` when there is none. */
static size_t next_change(const struct script *script, size_t at)
{
    while (at < script->count && script->list[at].kind == ' ')
        at++;
    return at;
}

/* Where the hunk ends whose first change is at `at`: behind its context. */
static size_t hunk_end(const struct script *script, size_t at)
{
    size_t end = at;

    while (at < script->count && at - end <= (size_t)2 * CONTEXT) {
        end = at;
        while (end < script->count && script->list[end].kind != ' ')
            end++;
        at = next_change(script, end);
    }
    return end + CONTEXT < script->count ? end + CONTEXT : script->count;
}

static void write_hunk(struct buf *out, const struct script *script, size_t from, size_t to)
{
    size_t before[2] = { 0, 0 };
    size_t inside[2] = { 0, 0 };

    for (size_t i = 0; i < to; i++) {
        size_t *counts = i < from ? before : inside;

        counts[0] += script->list[i].kind != '+';
        counts[1] += script->list[i].kind != '-';
    }
    buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", before[0] + (inside[0] > 0), inside[0],
               before[1] + (inside[1] > 0), inside[1]);
    for (size_t i = from; i < to; i++) {
        buf_add_char(out, script->list[i].kind);
        buf_add(out, script->list[i].line);
        buf_add_char(out, '\n');
    }
}

bool diff_write(struct buf *out, struct str old_text, const char *old_name, struct str new_text,
                const char *new_name)
{
    struct lines a = split(old_text);
    struct lines b = split(new_text);
    struct script script = { 0 };
    size_t at;

    make_script(&script, a, b);
    at = next_change(&script, 0);

    bool differs = at < script.count;

    if (differs)
        buf_printf(out, "--- %s\n+++ %s\n", old_name, new_name);
    while (at < script.count) {
        size_t end = hunk_end(&script, at);

        write_hunk(out, &script, at > CONTEXT ? at - CONTEXT : 0, end);
        at = next_change(&script, end);
    }
    mem_free(script.list);
    mem_free(a.list);
    mem_free(b.list);
    return differs;
}
