/*
 * recent.c - see recent.h.
 */
#include "delivery/outbox/recent.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    EVENT_BYTES = 3 * 8 + RECENT_IDENTITY_SIZE, /* of an event in a blob; numbers little-endian */
    BULK_ROWS = 64,                             /* moved by one statement, */
    ROW_VALUES = 4,                             /* with so many values each */
    PORTION_MOST = 8192,
    PORTION_PART = 4, /* of `max_rows` */
};

/* The progress of the move: rows of `state`. */
static const struct str moved_name = STR_INIT("recent_moved");
static const struct str last_name = STR_INIT("recent_last");

void recent_init(struct recent *recent, int64_t max_rows)
{
    int64_t part = max_rows / PORTION_PART;

    *recent = (struct recent){ .next_row = 1 };
    recent->portion = part > PORTION_MOST ? PORTION_MOST : part < 1 ? 1 : (size_t)part;
}

static void part_done(struct recent_part *part)
{
    mem_free(part->events);
    mem_free(part->slots);
    mem_free(part->ids);
    *part = (struct recent_part){ 0 };
}

void recent_done(struct recent *recent)
{
    part_done(&recent->filling);
    part_done(&recent->moving);
    seen_filter_done(&recent->filter);
}

/* The slot of the first event of that bucket and id, or the free one where it would be. */
static size_t first_slot(const struct recent_part *part, int64_t bucket, int64_t id_hash)
{
    uint64_t hash = (uint64_t)id_hash ^ ((uint64_t)bucket * UINT64_C(0x9e3779b97f4a7c15));

    return (size_t)(hash ^ hash >> 32) & (part->capacity * 2 - 1);
}

/* The slot of the last event with that id, or the free one where it would be. */
static size_t id_slot(const struct recent_part *part, int64_t id_hash)
{
    size_t slot = first_slot(part, 0, id_hash);

    while (part->ids[slot] && part->events[part->ids[slot] - 1].id_hash != id_hash)
        slot = (slot + 1) & (part->capacity * 2 - 1);
    return slot;
}

static void note(struct recent_part *part, size_t index)
{
    const struct recent_event *event = &part->events[index];
    size_t slot = first_slot(part, event->bucket, event->id_hash);

    while (part->slots[slot])
        slot = (slot + 1) & (part->capacity * 2 - 1);
    part->slots[slot] = (uint32_t)index + 1;
    part->ids[id_slot(part, event->id_hash)] = (uint32_t)index + 1;
}

static void free_slots(struct recent_part *part)
{
    if (!part->slots)
        return;
    memset(part->slots, 0, part->capacity * 2 * sizeof(*part->slots));
    memset(part->ids, 0, part->capacity * 2 * sizeof(*part->ids));
}

static void note_all(struct recent_part *part)
{
    free_slots(part);
    for (size_t i = 0; i < part->count; i++)
        note(part, i);
}

static void recent_put(struct recent_part *part, const struct recent_event *event)
{
    size_t capacity = part->capacity;

    part->events = mem_grow(part->events, part->count, &part->capacity, sizeof(*part->events));
    if (part->capacity != capacity) {
        part->slots = mem_realloc(part->slots, part->capacity * 2 * sizeof(*part->slots));
        part->ids = mem_realloc(part->ids, part->capacity * 2 * sizeof(*part->ids));
        note_all(part);
    }
    part->events[part->count] = *event;
    note(part, part->count++);
}

static void clear(struct recent_part *part)
{
    part->count = 0;
    free_slots(part);
}

/* The same content in another bucket, older than the window, does not count as another event. */
static enum recent_found find_id(const struct recent_part *part, const struct recent_event *wanted)
{
    uint32_t at = part->ids[id_slot(part, wanted->id_hash)];

    return at && memcmp(part->events[at - 1].identity, wanted->identity,
                        sizeof(wanted->identity)) != 0
               ? RECENT_ELSEWHERE
               : RECENT_NONE;
}

static enum recent_found find_in(const struct recent_part *part, const struct recent_event *wanted,
                                 int64_t *processed_us)
{
    enum recent_found found = RECENT_NONE;

    if (part->count == 0)
        return RECENT_NONE;
    for (size_t slot = first_slot(part, wanted->bucket, wanted->id_hash); part->slots[slot];
         slot = (slot + 1) & (part->capacity * 2 - 1)) {
        const struct recent_event *event = &part->events[part->slots[slot] - 1];

        if (event->id_hash != wanted->id_hash || event->bucket != wanted->bucket)
            continue;
        if (memcmp(event->identity, wanted->identity, sizeof(wanted->identity)) == 0) {
            *processed_us = event->processed_us;
            return RECENT_SAME;
        }
        if (found == RECENT_NONE)
            *processed_us = event->processed_us;
        found = RECENT_OTHER;
    }
    return found == RECENT_NONE ? find_id(part, wanted) : found;
}

enum recent_found recent_find(const struct recent *recent, const struct recent_event *wanted,
                              int64_t *processed_us)
{
    int64_t newer_us = 0;
    enum recent_found older = find_in(&recent->moving, wanted, processed_us);
    enum recent_found newer =
        older == RECENT_SAME ? RECENT_NONE : find_in(&recent->filling, wanted, &newer_us);

    if (newer <= older)
        return older;
    *processed_us = newer_us;
    return newer;
}

void recent_add(struct recent *recent, const struct recent_event *event)
{
    recent_put(&recent->filling, event);
}

static uint8_t *encode_int(uint8_t *to, int64_t value)
{
    uint64_t little = htole64((uint64_t)value);

    memcpy(to, &little, sizeof(little));
    return to + sizeof(little);
}

static void encode(uint8_t *to, const struct recent_event *event)
{
    to = encode_int(to, event->bucket);
    to = encode_int(to, event->id_hash);
    memcpy(to, event->identity, sizeof(event->identity));
    (void)encode_int(to + sizeof(event->identity), event->processed_us);
}

static int64_t decode_int(const char *from)
{
    uint64_t little;

    memcpy(&little, from, sizeof(little));
    return (int64_t)le64toh(little);
}

static struct recent_event decode(const char *from)
{
    struct recent_event event = { .bucket = decode_int(from),
                                  .id_hash = decode_int(from + 8),
                                  .processed_us = decode_int(from + 16 + RECENT_IDENTITY_SIZE) };

    memcpy(event.identity, from + 16, sizeof(event.identity));
    return event;
}

bool recent_flush(struct recent *recent, struct db *db)
{
    const struct recent_part *filling = &recent->filling;
    size_t count = filling->count - recent->written;

    if (count == 0)
        return true;

    uint8_t *bytes = mem_alloc_array(count, EVENT_BYTES);
    struct str blob = { (const char *)bytes, count * EVENT_BYTES };

    for (size_t i = 0; i < count; i++)
        encode(bytes + i * EVENT_BYTES, &filling->events[recent->written + i]);

    bool ok = db_run(db, SQL_RECENT_ADD, "ib", recent->next_row++, blob);

    mem_free(bytes);
    recent->written = filling->count;
    return ok;
}

int recent_compare(const void *a, const void *b)
{
    const struct recent_event *x = a;
    const struct recent_event *y = b;

    if (x->bucket != y->bucket)
        return x->bucket < y->bucket ? -1 : 1;
    if (x->id_hash != y->id_hash)
        return x->id_hash < y->id_hash ? -1 : 1;
    return memcmp(x->identity, y->identity, sizeof(x->identity));
}

static void sort(struct recent_part *part)
{
    if (part->count > 0)
        qsort(part->events, part->count, sizeof(struct recent_event), recent_compare);
    note_all(part);
}

static void load_blob(struct recent_part *part, struct str blob)
{
    for (size_t at = 0; at + EVENT_BYTES <= blob.len; at += EVENT_BYTES) {
        struct recent_event event = decode(blob.ptr + at);

        recent_put(part, &event);
    }
}

static bool load_filter(struct recent *recent, struct db *db)
{
    int64_t highest = INT64_MIN;
    enum db_found found = db_numbers(db, SQL_SEEN_HIGHEST, &highest, "");

    seen_filter_reset(&recent->filter, found == DB_FOUND ? highest : INT64_MIN);
    return found != DB_BROKEN;
}

bool recent_load(struct recent *recent, struct db *db)
{
    int64_t moved;

    clear(&recent->filling);
    clear(&recent->moving);
    recent->merged = 0;
    recent->below_mark = 0;
    if (db_numbers(db, SQL_STATE_READ, &moved, "s", moved_name) == DB_BROKEN ||
        db_numbers(db, SQL_STATE_READ, &recent->last_moving_row, "s", last_name) == DB_BROKEN)
        return false;

    enum db_found found = db_find(db, SQL_RECENT_READ, "");

    while (found == DB_FOUND) {
        int64_t row = db_int(db, SQL_RECENT_READ, 0);

        load_blob(row <= recent->last_moving_row ? &recent->moving : &recent->filling,
                  db_text(db, SQL_RECENT_READ, 1));
        recent->next_row = row + 1;
        found = db_next(db, SQL_RECENT_READ);
    }
    db_reset(db, SQL_RECENT_READ);
    recent->written = recent->filling.count;
    sort(&recent->moving);
    recent->moved = (size_t)moved < recent->moving.count ? (size_t)moved : recent->moving.count;
    return found == DB_NONE && load_filter(recent, db);
}

static void swap(struct recent *recent)
{
    struct recent_part part = recent->moving;

    recent->moving = recent->filling;
    recent->filling = part;
}

static void begin_move(struct recent *recent)
{
    swap(recent);
    recent->written = 0;
    recent->moved = 0;
    recent->last_moving_row = recent->next_row - 1;
    sort(&recent->moving);
}

/* Is the next row to move at or below the mark? */
static bool is_below_mark(const struct recent *recent, size_t next)
{
    return recent_compare(&recent->moving.events[recent->moved + next], &recent->mark) <= 0;
}

/* How many of the next `rows` rows one statement moves: they are on one side of the mark. */
static size_t bulk(const struct recent *recent, size_t rows)
{
    size_t left = recent->moving.count - recent->moved;

    if (rows < BULK_ROWS || left < BULK_ROWS)
        return 1;
    return is_below_mark(recent, 0) == is_below_mark(recent, BULK_ROWS - 1) ? BULK_ROWS : 1;
}

/* Sorted rows cost least in one statement, since the place of the last one is near the next. */
static bool move_next(struct recent *recent, struct db *db, size_t count)
{
    struct db_value values[BULK_ROWS * ROW_VALUES];
    bool below_mark = is_below_mark(recent, 0);

    for (size_t i = 0; i < count; i++) {
        const struct recent_event *event = &recent->moving.events[recent->moved + i];
        struct db_value *value = &values[i * ROW_VALUES];

        value[0] = db_value_int(event->bucket);
        value[1] = db_value_int(event->id_hash);
        value[2] = db_value_blob(event->identity, sizeof(event->identity));
        value[3] = db_value_int(event->processed_us);
        seen_filter_add(&recent->filter, event->bucket, event->id_hash);
    }
    if (!db_run_values(db, count == 1 ? SQL_SEEN_ADD : SQL_SEEN_ADD_BULK, values,
                       count * ROW_VALUES))
        return false;
    recent->moved += count;
    recent->merged += (int64_t)count - db_changes(db);
    recent->below_mark += below_mark ? db_changes(db) : 0;
    return true;
}

bool recent_may_be_moved(const struct recent *recent, const struct recent_event *wanted)
{
    return seen_filter_may_have(&recent->filter, wanted->bucket, wanted->id_hash);
}

size_t recent_count(const struct recent *recent)
{
    return recent->filling.count + recent->moving.count - recent->moved;
}

bool recent_move(struct recent *recent, struct db *db, size_t rows)
{
    struct recent_part *moving = &recent->moving;

    if (moving->count == 0) {
        if (recent->filling.count < recent->portion)
            return true;
        if (!recent_flush(recent, db))
            return false;
        begin_move(recent);
    }
    for (size_t i = 0; i < rows && recent->moved < moving->count;) {
        size_t count = bulk(recent, rows - i);

        if (!move_next(recent, db, count))
            return false;
        i += count;
    }
    if (recent->moved < moving->count)
        return db_run(db, SQL_STATE_WRITE, "si", moved_name, (int64_t)recent->moved) &&
               db_run(db, SQL_STATE_WRITE, "si", last_name, recent->last_moving_row);
    clear(moving);
    recent->moved = 0;
    return db_run(db, SQL_STATE_WRITE, "si", moved_name, INT64_C(0)) &&
           db_run(db, SQL_RECENT_DELETE, "i", recent->last_moving_row);
}

bool recent_is_first(struct recent *recent, const struct recent_event *event)
{
    struct recent_event wanted = *event;
    int64_t first_us;

    wanted.bucket = 0;
    switch (recent_find(recent, &wanted, &first_us)) {
    case RECENT_SAME:
        return true;
    case RECENT_OTHER:
        return false;
    default:
        break;
    }
    if (recent->filling.count == recent->portion) { /* forget the part before it */
        swap(recent);
        clear(&recent->filling);
    }
    recent_put(&recent->filling, &wanted);
    return true;
}
