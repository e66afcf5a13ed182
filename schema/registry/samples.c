/*
 * samples.c - see samples.h.
 *
 * `due_us` is the time from which a payload is taken. The thread that moves it on takes its
 * payload. If the set is in use then, the payload is dropped: others follow.
 */
#include "schema/registry/samples.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/attr.h"
#include "base/chars.h"
#include "base/clock.h"
#include "base/memory.h"

enum {
    PACE_FIRST_US = 50 * US_PER_MS, /* between two samples, once the set is full, */
    PACE_LAST_US = 30 * US_PER_S,   /* doubled after as many samples as the set holds, up to this */
};

struct sample {
    char *text;
    size_t len;
    int64_t taken_us;
};

struct samples {
    atomic_int owners;
    _Atomic int64_t due_us;
    pthread_mutex_t mutex; /* for all below */
    struct sample *list;   /* [capacity] */
    size_t capacity;
    size_t count;
    size_t bytes;
    uint64_t taken;
    size_t replaced; /* at this pace */
    int64_t pace_us;
    uint64_t random;
};

struct samples *samples_create(size_t capacity)
{
    struct samples *samples = mem_alloc(sizeof(*samples));

    atomic_init(&samples->owners, 1);
    (void)pthread_mutex_init(&samples->mutex, NULL);
    samples->list = mem_alloc_array(capacity, sizeof(struct sample));
    samples->capacity = capacity;
    samples->pace_us = PACE_FIRST_US;
    samples->random = (uint64_t)clock_now_us();
    return samples;
}

struct samples *samples_share(struct samples *samples)
{
    atomic_fetch_add(&samples->owners, 1);
    return samples;
}

void samples_destroy(struct samples *samples)
{
    if (!samples || atomic_fetch_sub(&samples->owners, 1) > 1)
        return;
    for (size_t i = 0; i < samples->count; i++)
        mem_free(samples->list[i].text);
    mem_free(samples->list);
    (void)pthread_mutex_destroy(&samples->mutex);
    mem_free(samples);
}

/* A random one. The quality of a linear congruential generator (Knuth's MMIX) is sufficient. */
static size_t pick(struct samples *samples)
{
    samples->random = samples->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (size_t)((samples->random >> 33) % samples->count);
}

static void drop(struct samples *samples, size_t index)
{
    struct sample *sample = &samples->list[index];

    samples->bytes -= sample->len;
    mem_free(sample->text);
    *sample = samples->list[--samples->count];
}

static void samples_keep(struct samples *samples, struct str text, int64_t now_us)
{
    if (samples->count == samples->capacity) {
        drop(samples, pick(samples));
        if (++samples->replaced >= samples->capacity && samples->pace_us < PACE_LAST_US) {
            samples->pace_us *= 2;
            samples->replaced = 0;
        }
    }
    while (samples->bytes + text.len > SAMPLES_BYTES_MAX)
        drop(samples, pick(samples));
    samples->list[samples->count++] =
        (struct sample){ mem_copy(text.ptr, text.len), text.len, now_us };
    samples->bytes += text.len;
    samples->taken++;
    atomic_store_explicit(&samples->due_us,
                          samples->count < samples->capacity ? 0 : now_us + samples->pace_us,
                          memory_order_relaxed);
}

static void bring(struct samples *samples, const struct flat *payload, int64_t now_us)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, SAMPLES_TEXT_MAX);
    flat_write(&text, payload);
    if (text.overflow || pthread_mutex_trylock(&samples->mutex) != 0)
        return;
    samples_keep(samples, buf_str(&text), now_us);
    (void)pthread_mutex_unlock(&samples->mutex);
}

void samples_offer(struct samples *samples, const struct flat *payload, int64_t now_us)
{
    int64_t due_us = atomic_load_explicit(&samples->due_us, memory_order_relaxed);

    if (LIKELY(now_us < due_us))
        return;
    /* While the set fills, `due_us` is 0: every thread takes its payload. */
    if (due_us == 0 ||
        atomic_compare_exchange_strong(&samples->due_us, &due_us, now_us + PACE_FIRST_US))
        bring(samples, payload, now_us);
}

uint64_t samples_taken(struct samples *samples)
{
    (void)pthread_mutex_lock(&samples->mutex);

    uint64_t taken = samples->taken;

    (void)pthread_mutex_unlock(&samples->mutex);
    return taken;
}

void samples_write(struct samples *samples, struct buf *out)
{
    (void)pthread_mutex_lock(&samples->mutex);
    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = &samples->list[i];

        buf_printf(out, "%" PRId64 " %.*s\n", sample->taken_us, (int)sample->len, sample->text);
    }
    (void)pthread_mutex_unlock(&samples->mutex);
}

void samples_add(struct samples *samples, struct str line, int64_t now_us)
{
    int64_t taken_us;

    if (!take_number(&line, now_us, &taken_us))
        return;

    struct str text = str_from(line, 1);

    if (text.len == 0 || text.len > SAMPLES_TEXT_MAX)
        return;
    (void)pthread_mutex_lock(&samples->mutex);
    if (samples->count < samples->capacity)
        samples_keep(samples, text, taken_us);
    (void)pthread_mutex_unlock(&samples->mutex);
}

struct str *samples_copy(struct samples *samples, int64_t now_us, struct arena *arena,
                         size_t *count)
{
    int64_t oldest_us = now_us - (int64_t)SAMPLES_AGE_MAX_S * US_PER_S;
    struct str *texts;

    (void)pthread_mutex_lock(&samples->mutex);
    for (size_t i = samples->count; i-- > 0;)
        if (samples->list[i].taken_us < oldest_us)
            drop(samples, i);
    texts = arena_alloc(arena, (samples->count + 1) * sizeof(*texts));
    *count = samples->count;
    for (size_t i = 0; i < samples->count; i++)
        texts[i] = arena_copy(arena, (struct str){ samples->list[i].text, samples->list[i].len });
    (void)pthread_mutex_unlock(&samples->mutex);
    return texts;
}
