/*
 * test_samples.c - claims about schema/registry/samples.h.
 */
#include "schema/registry/samples.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "tests/unit/test.h"

enum { DAY_S = 24 * 60 * 60 };

static const int64_t start_us = (int64_t)1790000000 * US_PER_S;

/* Also from threads, where nothing may be CHECKed. */
static bool offer_text(struct samples *samples, const char *text, int64_t now_us)
{
    struct arena *arena = arena_create();
    const struct flat *payload = NULL;
    struct error err = { 0 };
    bool ok = flat_read(arena, str_from_c(text), NULL, &payload, &err);

    if (ok)
        samples_offer(samples, payload, now_us);
    arena_destroy(arena);
    return ok;
}

static void offer(struct samples *samples, const char *text, int64_t now_us)
{
    CHECK(offer_text(samples, text, now_us));
}

static void offer_number(struct samples *samples, int number, int64_t now_us)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "{\"n\":%d}", number);
    offer(samples, text, now_us);
}

/* How many there are; `*bytes` (may be NULL): of all texts together. */
static size_t count(struct samples *samples, int64_t now_us, size_t *bytes)
{
    struct arena *arena = arena_create();
    size_t found;
    struct str *texts = samples_copy(samples, now_us, arena, &found);

    for (size_t i = 0; bytes && i < found; i++)
        *bytes += texts[i].len;
    arena_destroy(arena);
    return found;
}

static bool has(struct samples *samples, const char *text, int64_t now_us)
{
    struct arena *arena = arena_create();
    size_t found;
    struct str *texts = samples_copy(samples, now_us, arena, &found);
    bool is_there = false;

    for (size_t i = 0; i < found; i++)
        is_there = is_there || str_equal(texts[i], str_from_c(text));
    arena_destroy(arena);
    return is_there;
}

static void the_first_ones_are_all_kept(void)
{
    struct samples *samples = samples_create(20);

    CHECK_INT((int64_t)count(samples, start_us, NULL), 0);
    for (int i = 0; i < 20; i++)
        offer_number(samples, i, start_us);
    CHECK_INT((int64_t)count(samples, start_us, NULL), 20);
    CHECK(has(samples, "{\"n\":0}", start_us) && has(samples, "{\"n\":19}", start_us));
    samples_destroy(samples);
    samples_destroy(NULL);
}

static void later_ones_take_their_places(void)
{
    struct samples *samples = samples_create(10);
    int64_t now_us = start_us;
    int first = 0;

    for (int i = 0; i < 100000; i++, now_us += US_PER_S / 10)
        offer_number(samples, i, now_us);
    CHECK_INT((int64_t)count(samples, now_us, NULL), 10);
    for (int i = 0; i < 10; i++) {
        char text[32];

        (void)snprintf(text, sizeof(text), "{\"n\":%d}", i);
        first += has(samples, text, now_us);
    }
    CHECK_INT(first, 0);
    samples_destroy(samples);
}

static void a_busy_minute_does_not_push_out_the_hours_before(void)
{
    struct samples *samples = samples_create(100);
    int64_t now_us = start_us;
    int old = 0;

    for (int i = 0; i < 100000; i++, now_us += US_PER_S / 10) /* nearly three hours */
        offer_number(samples, 1, now_us);
    for (int i = 0; i < 100000; i++, now_us += 600)
        offer_number(samples, 2, now_us);

    struct arena *arena = arena_create();
    size_t found;
    struct str *texts = samples_copy(samples, now_us, arena, &found);

    for (size_t i = 0; i < found; i++)
        old += str_equal(texts[i], STR("{\"n\":1}"));
    arena_destroy(arena);
    CHECK_INT((int64_t)found, 100);
    CHECK(old >= 97);
    samples_destroy(samples);
}

static void bytes_have_a_bound(void)
{
    struct samples *samples = samples_create(1000);
    char *text = mem_alloc(SAMPLES_TEXT_MAX + 10);
    size_t bytes = 0;

    memset(text, 'x', SAMPLES_TEXT_MAX - 100);
    text[0] = '"';
    text[SAMPLES_TEXT_MAX - 101] = '"';
    text[SAMPLES_TEXT_MAX - 100] = '\0';
    for (int i = 0; i < 100; i++)
        offer(samples, text, start_us);
    CHECK(count(samples, start_us, &bytes) >= 15);
    CHECK(bytes <= SAMPLES_BYTES_MAX);

    memset(text, 'y', SAMPLES_TEXT_MAX + 5); /* one that is too long is not kept */
    text[0] = '"';
    text[SAMPLES_TEXT_MAX + 5] = '"';
    text[SAMPLES_TEXT_MAX + 6] = '\0';
    offer(samples, text, start_us);
    CHECK(!has(samples, text, start_us));
    mem_free(text);
    samples_destroy(samples);
}

static void what_is_a_day_old_is_forgotten(void)
{
    struct samples *samples = samples_create(5);
    int64_t day_us = (int64_t)DAY_S * US_PER_S;

    offer_number(samples, 1, start_us);
    offer_number(samples, 2, start_us + US_PER_S);
    CHECK_INT((int64_t)count(samples, start_us + day_us, NULL), 2);
    CHECK_INT((int64_t)count(samples, start_us + day_us + 1, NULL), 1);
    CHECK(has(samples, "{\"n\":2}", start_us + day_us + 1));
    CHECK_INT((int64_t)count(samples, start_us + 2 * day_us, NULL), 0);
    samples_destroy(samples);
}

static struct samples *shared;

static void *offer_many(void *self)
{
    for (int i = 0; i < 3000; i++)
        if (!offer_text(shared, "{\"n\":1}", start_us + (int64_t)i * US_PER_S))
            return NULL;
    return self;
}

static void threads_may_offer_at_once(void)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    size_t found = 0;

    shared = samples_create(50);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, offer_many, NULL) == 0);
    for (int i = 0; i < 20; i++)
        found = count(shared, start_us, NULL);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    CHECK(found <= 50);
    CHECK_INT((int64_t)count(shared, start_us, NULL), 50);
    samples_destroy(shared);
}

int main(void)
{
    RUN(the_first_ones_are_all_kept);
    RUN(later_ones_take_their_places);
    RUN(a_busy_minute_does_not_push_out_the_hours_before);
    RUN(bytes_have_a_bound);
    RUN(what_is_a_day_old_is_forgotten);
    RUN(threads_may_offer_at_once);
    return test_end();
}
