/*
 * window.c - see window.h.
 */
#include "delivery/outbox/window.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

static void change_done(struct change *change)
{
    mem_free(change->reason);
    mem_free((void *)change->said.ptr);
}

struct change change_make(const struct backlog_record *record, enum backlog_lane lane,
                          const struct backlog_result *result)
{
    return (struct change){
        .seq = record->seq,
        .attempts = record->attempts,
        .next_at_us = result->next_at_us,
        .order_hash = record->order_hash,
        .reason = result->reason ? mem_copy_string(result->reason) : NULL,
        .lane = lane,
        .verdict = result->verdict,
    };
}

void change_keep_words(struct change *change, struct str said)
{
    if (change->verdict != BACKLOG_DEAD || said.len == 0)
        return;

    char *copy = mem_alloc(said.len);

    memcpy(copy, said.ptr, said.len);
    change->said = (struct str){ copy, said.len };
}

void change_list_add(struct change_list *list, struct change change)
{
    list->items = mem_grow(list->items, list->count, &list->capacity, sizeof(*list->items));
    list->items[list->count++] = change;
}

void change_list_move(struct change_list *from, struct change_list *to, size_t most)
{
    size_t count = from->count < most ? from->count : most;

    for (size_t i = 0; i < count; i++)
        change_list_add(to, from->items[i]);
    from->count -= count;
    if (from->count > 0)
        memmove(from->items, from->items + count, from->count * sizeof(*from->items));
}

void change_list_clear(struct change_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        change_done(&list->items[i]);
    list->count = 0;
}

void change_list_done(struct change_list *list)
{
    change_list_clear(list);
    mem_free(list->items);
}

void window_done(struct window *window)
{
    for (size_t i = window->first; i < window->end; i++)
        change_done(&window->entries[i].change);
    mem_free(window->entries);
}

size_t window_count(const struct window *window)
{
    return window->end - window->first;
}

static void set_state(struct window *window, struct window_entry *entry, int state)
{
    size_t at = (size_t)(entry - window->entries);

    window->waiting -= entry->state == WINDOW_WAITING;
    window->waiting += state == WINDOW_WAITING;
    window->decided -= entry->state == WINDOW_DECIDED;
    window->decided += state == WINDOW_DECIDED;
    if (state == WINDOW_WAITING && at < window->earliest)
        window->earliest = at;
    entry->state = state;
}

/* The first entry with at least this sequence. */
static size_t search(const struct window *window, int64_t seq)
{
    size_t low = window->first;
    size_t high = window->end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (window->entries[middle].change.seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct window_entry *get(struct window *window, int64_t seq)
{
    size_t at = search(window, seq);

    assert(at < window->end && window->entries[at].change.seq == seq);
    return &window->entries[at];
}

void window_pass(struct window *window, int64_t cursor)
{
    for (size_t i = window->first; i < window->end; i++) {
        struct window_entry *entry = &window->entries[i];

        if (entry->change.seq > cursor)
            break;
        if (entry->state != WINDOW_WAITING)
            continue;
        entry->change.verdict = BACKLOG_UNTRIED;
        set_state(window, entry, WINDOW_DECIDED);
    }
    if (window->taken < cursor)
        window->taken = cursor;
}

/* Use the room before the first entry again, when that is half of all. */
static void move_down(struct window *window)
{
    size_t count = window_count(window);

    if (window->first == 0 || window->first < window->end / 2)
        return;
    memmove(window->entries, window->entries + window->first, count * sizeof(*window->entries));
    window->earliest = window->earliest > window->first ? window->earliest - window->first : 0;
    window->first = 0;
    window->end = count;
}

void window_add(struct window *window, int64_t seq, uint64_t order_hash)
{
    assert(seq > window->taken);
    move_down(window);
    window->entries =
        mem_grow(window->entries, window->end, &window->capacity, sizeof(*window->entries));
    window->entries[window->end++] =
        (struct window_entry){ .change = { .seq = seq, .order_hash = order_hash },
                               .state = WINDOW_UNDER_WAY };
    window->taken = seq;
}

struct window_entry *window_next_waiting(struct window *window, int64_t after)
{
    size_t at = search(window, after + 1);

    bool from_start = at <= window->earliest;

    if (window->waiting == 0)
        return NULL;
    if (from_start)
        at = window->earliest;
    while (at < window->end && window->entries[at].state != WINDOW_WAITING)
        at++;
    if (from_start)
        window->earliest = at;
    return at < window->end ? &window->entries[at] : NULL;
}

void window_take(struct window *window, struct window_entry *entry)
{
    assert(entry->state == WINDOW_WAITING);
    set_state(window, entry, WINDOW_UNDER_WAY);
}

void window_give_back(struct window *window, int64_t seq, bool was_tried)
{
    struct window_entry *entry = get(window, seq);

    entry->tries += was_tried;
    set_state(window, entry, WINDOW_WAITING);
}

struct window_entry *window_obstacle(struct window *window)
{
    struct window_entry *first = &window->entries[window->first];
    bool is_one = window->decided > 0 && first->state == WINDOW_WAITING && first->tries > 1;

    return is_one ? first : NULL;
}

void window_decide(struct window *window, struct change change)
{
    struct window_entry *entry = get(window, change.seq);

    assert(entry->state != WINDOW_DECIDED);
    set_state(window, entry, WINDOW_DECIDED);
    entry->change = change;
}

void window_drop_end(struct window *window)
{
    while (window->end > window->first &&
           window->entries[window->end - 1].state == WINDOW_WAITING) {
        window->taken = window->entries[--window->end].change.seq - 1;
        window->waiting--;
    }
}

void window_shift(struct window *window, struct change_list *changes)
{
    while (window->first < window->end && window->entries[window->first].state == WINDOW_DECIDED) {
        change_list_add(changes, window->entries[window->first++].change);
        window->decided--;
    }
    if (!window->keeps_waiting)
        window_drop_end(window);
    if (window->first == window->end)
        window->first = window->end = 0;
    if (window->waiting == 0)
        window->earliest = window->end;
}
