/*
 * shadow.c - see shadow.h.
 */
#include "schema/registry/shadow.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/member.h"
#include "base/memory.h"
#include "schema/registry/registry.h"

enum { RULES_MAX = 50 };

/* The first event that a rule decides differently, and how many there are. */
struct shadow_rule {
    struct shadow_word first;
    int64_t first_us;
    uint64_t events;
};

struct shadow {
    atomic_int owners;
    pthread_mutex_t mutex; /* of everything below */
    uint64_t totals[SHADOW_VERDICTS];
    char live[REGISTRY_VERSION_SIZE];
    char version[REGISTRY_VERSION_SIZE];
    int64_t since_us; /* of this pair; 0: no event yet */
    uint64_t events[SHADOW_VERDICTS];
    struct shadow_rule *rules;
    size_t count;
    size_t capacity;
    uint64_t left_out; /* events of rules that have no room */
};

const char *shadow_verdict_name(enum shadow_verdict verdict)
{
    static const char *const names[] = {
        [SHADOW_AGREES] = "agrees",
        [SHADOW_WOULD_REFUSE] = "would_refuse",
        [SHADOW_WOULD_ACCEPT] = "would_accept",
        [SHADOW_SKIPPED] = "skipped",
        [SHADOW_UNAVAILABLE] = "unavailable",
    };

    return names[verdict];
}

struct shadow *shadow_create(void)
{
    struct shadow *shadow = mem_alloc(sizeof(*shadow));

    atomic_init(&shadow->owners, 1);
    (void)pthread_mutex_init(&shadow->mutex, NULL);
    return shadow;
}

struct shadow *shadow_share(struct shadow *shadow)
{
    atomic_fetch_add(&shadow->owners, 1);
    return shadow;
}

void shadow_destroy(struct shadow *shadow)
{
    if (!shadow || atomic_fetch_sub(&shadow->owners, 1) > 1)
        return;
    mem_free(shadow->rules);
    (void)pthread_mutex_destroy(&shadow->mutex);
    mem_free(shadow);
}

/* Without a shadow schema, the counts of the last one stay. */
static void follow_versions(struct shadow *shadow, const struct shadow_pair *versions,
                            int64_t now_us)
{
    bool is_same = strcmp(shadow->live, versions->live) == 0 &&
                   (!*versions->shadow || strcmp(shadow->version, versions->shadow) == 0);

    if (is_same && shadow->since_us)
        return;
    (void)snprintf(shadow->live, sizeof(shadow->live), "%s", versions->live);
    (void)snprintf(shadow->version, sizeof(shadow->version), "%s", versions->shadow);
    memset(shadow->events, 0, sizeof(shadow->events));
    shadow->since_us = now_us;
    shadow->count = 0;
    shadow->left_out = 0;
}

static void count_rule(struct shadow *shadow, const struct shadow_word *word, int64_t now_us)
{
    for (size_t i = 0; i < shadow->count; i++) {
        struct shadow_rule *rule = &shadow->rules[i];

        if (rule->first.verdict == word->verdict &&
            strcmp(rule->first.place.keyword_location, word->place.keyword_location) == 0) {
            rule->events++;
            return;
        }
    }
    if (shadow->count == RULES_MAX) {
        shadow->left_out++;
        return;
    }
    shadow->rules =
        mem_grow(shadow->rules, shadow->count, &shadow->capacity, sizeof(*shadow->rules));
    shadow->rules[shadow->count++] = (struct shadow_rule){ *word, now_us, 1 };
}

void shadow_note(struct shadow *shadow, const struct shadow_pair *versions,
                 const struct shadow_word *word, int64_t now_us)
{
    (void)pthread_mutex_lock(&shadow->mutex);
    follow_versions(shadow, versions, now_us);
    shadow->totals[word->verdict]++;
    shadow->events[word->verdict]++;
    if (word->verdict == SHADOW_WOULD_REFUSE || word->verdict == SHADOW_WOULD_ACCEPT)
        count_rule(shadow, word, now_us);
    (void)pthread_mutex_unlock(&shadow->mutex);
}

uint64_t shadow_total(struct shadow *shadow, enum shadow_verdict verdict)
{
    (void)pthread_mutex_lock(&shadow->mutex);

    uint64_t total = shadow->totals[verdict];

    (void)pthread_mutex_unlock(&shadow->mutex);
    return total;
}

static void write_rule(struct buf *out, const struct shadow_rule *rule)
{
    const struct shadow_word *first = &rule->first;

    buf_add_char(out, '{');
    member_text(out, "verdict", str_from_c(shadow_verdict_name(first->verdict)));
    member_text(out, "rule", str_from_c(first->place.keyword_location));
    member_text(out, "place", str_from_c(first->place.instance_location));
    member_int(out, "events", (int64_t)rule->events);
    member_time(out, "first_at", rule->first_us);
    buf_add_char(out, '}');
}

static void write_all(struct buf *out, const struct shadow *shadow)
{
    char since[CLOCK_TEXT_SIZE] = "";

    if (shadow->since_us)
        clock_format(shadow->since_us, since);
    member_text(out, "live_version", str_from_c(shadow->live));
    member_text(out, "shadow_version", str_from_c(shadow->version));
    member_text(out, "since", str_from_c(since));
    member_open(out, "events", '{');
    for (enum shadow_verdict i = 0; i < SHADOW_VERDICTS; i++)
        member_int(out, shadow_verdict_name(i), (int64_t)shadow->events[i]);
    buf_add(out, STR("},\"rules\":["));
    for (size_t i = 0; i < shadow->count; i++) {
        buf_add(out, i > 0 ? STR(",") : STR(""));
        write_rule(out, &shadow->rules[i]);
    }
    buf_add_char(out, ']');
    member_int(out, "rules_left_out", (int64_t)shadow->left_out);
}

void shadow_write(struct shadow *shadow, struct buf *out)
{
    (void)pthread_mutex_lock(&shadow->mutex);
    write_all(out, shadow);
    (void)pthread_mutex_unlock(&shadow->mutex);
}
