/*
 * sinks.c - see sinks.h.
 */
#include "server/sinks.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/sink_kinds.h"

enum {
    HALT_US = 5 * US_PER_S, /* for deliveries under way when a pump is replaced */
    RETRY_US = US_PER_S,    /* before a pump is started again that could not be started */
};

/** A sink with certain settings. The sets that have it and its slot hold references. */
struct fitting {
    struct arena *arena; /* of all names and options */
    struct str settings;
    struct pump *pump;
    size_t references;
};

struct slot {
    char *name;              /* NULL: the slot is free */
    size_t sets;             /* that have a sink of this name */
    struct fitting *running; /* NULL: none; */
    bool halting;            /* its deliveries end, */
    int64_t end_us;          /* or are interrupted then, by clock_monotonic_us() */
    struct fitting *wanted;  /* runs now or next; NULL: none does */
    int64_t start_us;        /* it is not started before */
    bool has_failed;         /* it could not be started */
};

struct sinks {
    struct sink_sessions *sessions;
    struct tracer *tracer; /* NULL: none */
    struct outbox *outbox; /* NULL: not started */
    struct slot slots[OUTBOX_SINKS_MAX];
};

struct sink_set {
    struct sinks *sinks;
    struct fitting **fittings;
    struct pump **pumps; /* theirs */
    size_t *slots;
    size_t count;
};

/* Without folders: their files can change at any time. */
static struct config_strings copy_own_files(struct arena *arena,
                                            const struct config_own_files *files)
{
    const char **list = arena_alloc(arena, (files->count + 1) * sizeof(*list));
    size_t count = 0;

    for (size_t i = 0; i < files->count; i++)
        if (!files->list[i].ending)
            list[count++] = arena_copy(arena, str_from_c(files->list[i].path)).ptr;
    return (struct config_strings){ list, count };
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * Without a store, requests wait for the sink until their deadline. A longer attempt is useless,
 * and the pause after a failure must leave time for another attempt.
 */
static struct config_sink effective_sink(const struct config *config, size_t index)
{
    struct config_sink sink = config->sinks[index];

    if (!*config->store.path) {
        sink.timeout_us = lesser(sink.timeout_us, config->http.deadline_us);
        sink.max_backoff_us = lesser(sink.max_backoff_us, config->http.deadline_us / 2);
        sink.linger_us = lesser(sink.linger_us, config->http.deadline_us / 2);
    }
    return sink;
}

/* What the pump does; S3 needs order (s3.h). */
static struct pump_rules rules_of(const struct config_sink *config, bool is_awaited)
{
    bool is_s3 = config->kind == CONFIG_SINK_S3;

    return (struct pump_rules){
        .order = is_s3 ? BACKLOG_STRICT : config->ordered,
        .is_awaited = is_awaited,
        .max_attempts = config->max_attempts,
        .max_backoff_us = config->max_backoff_us,
        .linger_us = is_s3 ? config->max_age_us : config->linger_us,
        .rate = config->rate,
    };
}

static struct pump *create_pump(const struct sinks *sinks, const struct sink_maker *maker,
                                const struct config_sink *config, struct error *err)
{
    struct sink sink;

    if (!sink_make(maker, config, &sink, err))
        return NULL;
    return pump_create(&(struct pump_options){
        .name = arena_copy(maker->arena, str_from_c(config->name)).ptr,
        .key = arena_copy(maker->arena, str_from_c(config->key)).ptr,
        .rules = rules_of(config, maker->is_awaited),
        .sink = sink,
        .tracer = sinks->tracer,
    });
}

static void fitting_release(struct fitting *fitting)
{
    if (!fitting || --fitting->references > 0)
        return;
    pump_destroy(fitting->pump);
    arena_destroy(fitting->arena);
    mem_free(fitting);
}

/* Let a slot refer to another one; NULL: none. */
static void assign(struct fitting **at, struct fitting *fitting)
{
    if (fitting)
        fitting->references++;
    fitting_release(*at);
    *at = fitting;
}

static struct fitting *fitting_create(struct sinks *sinks, const struct config *config,
                                      size_t index, struct error *err)
{
    const struct config_sink sink = effective_sink(config, index);
    struct fitting *fitting = mem_alloc(sizeof(*fitting));
    const struct sink_maker maker = {
        .arena = fitting->arena = arena_create(),
        .taken = copy_own_files(fitting->arena, &config->own_files),
        .is_awaited = !*config->store.path,
        .aws = &config->aws,
        .sessions = sinks->sessions,
    };

    fitting->references = 1;
    fitting->settings = arena_copy(fitting->arena, config_sink_settings(config, index));
    fitting->pump = create_pump(sinks, &maker, &sink, err);
    if (fitting->pump)
        return fitting;
    fitting_release(fitting);
    return NULL;
}

struct sinks *sinks_create(struct tracer *tracer)
{
    struct sinks *sinks = mem_alloc(sizeof(*sinks));

    sinks->tracer = tracer;
    sinks->sessions = sink_sessions_create();
    return sinks;
}

/* The slot of that name, else a free one, else NULL. */
static struct slot *find_slot(struct sinks *sinks, const char *name)
{
    struct slot *free = NULL;

    for (size_t i = OUTBOX_SINKS_MAX; i-- > 0;) {
        struct slot *slot = &sinks->slots[i];

        if (!slot->name)
            free = slot;
        else if (strcmp(slot->name, name) == 0)
            return slot;
    }
    return free;
}

static bool add_to_set(struct sink_set *set, const struct config *config, struct error *err)
{
    struct sinks *sinks = set->sinks;
    const char *name = config->sinks[set->count].name;
    struct str settings = config_sink_settings(config, set->count);
    struct slot *slot = find_slot(sinks, name);
    struct fitting *fitting = NULL;

    if (!slot)
        return fail(err, ERR_CONFIG,
                    "sink %s: with those of the configuration before, there are more than %d sinks",
                    name, OUTBOX_SINKS_MAX);
    if (slot->wanted && str_equal(slot->wanted->settings, settings))
        assign(&fitting, slot->wanted);
    else
        fitting = fitting_create(sinks, config, set->count, err);
    if (!fitting)
        return false;
    if (!slot->name)
        slot->name = mem_copy_string(name);
    slot->sets++;
    set->fittings[set->count] = fitting;
    set->pumps[set->count] = fitting->pump;
    set->slots[set->count++] = (size_t)(slot - sinks->slots);
    return true;
}

bool sink_set_create(struct sinks *sinks, const struct config *config, struct sink_set **out,
                     struct error *err)
{
    size_t count = config->sink_count;
    struct sink_set *set;

    if (!fetch_init(err))
        return false;
    set = mem_alloc(sizeof(*set));
    set->sinks = sinks;
    set->fittings = mem_alloc_array(count + 1, sizeof(struct fitting *));
    set->pumps = mem_alloc_array(count + 1, sizeof(struct pump *));
    set->slots = mem_alloc_array(count + 1, sizeof(*set->slots));
    for (size_t i = 0; i < count; i++)
        if (!add_to_set(set, config, err)) {
            sink_set_destroy(set);
            return false;
        }
    *out = set;
    return true;
}

void sink_set_destroy(struct sink_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++) {
        struct slot *slot = &set->sinks->slots[set->slots[i]];

        if (--slot->sets == 0)
            assign(&slot->wanted, NULL);
        fitting_release(set->fittings[i]);
    }
    mem_free(set->fittings);
    mem_free(set->pumps);
    mem_free(set->slots);
    mem_free(set);
}

struct pump *const *sink_set_pumps(const struct sink_set *set, size_t *count)
{
    *count = set->count;
    return set->pumps;
}

size_t sink_set_slot(const struct sink_set *set, size_t index)
{
    return set->slots[index];
}

/* The pump of that name; NULL: there is none. */
static const struct pump *find_pump(const struct sink_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(pump_name(set->pumps[i]), name) == 0)
            return set->pumps[i];
    return NULL;
}

static void add_name(struct buf *out, const char *name)
{
    if (out->len > 0)
        buf_add_char(out, ',');
    buf_add(out, str_from_c(name));
}

/* Those of `set` that `other` does not have; NULL for `changed`: those that differ do not matter.
 */
static struct str list_missing(const struct sink_set *set, const struct sink_set *other,
                               struct buf *changed, struct arena *arena)
{
    struct buf *missing = arena_buf(arena, SIZE_MAX);

    for (size_t i = 0; i < set->count; i++) {
        const char *name = pump_name(set->pumps[i]);
        const struct pump *pump = find_pump(other, name);

        if (!pump)
            add_name(missing, name);
        else if (changed && pump != set->pumps[i])
            add_name(changed, name);
    }
    return buf_str(missing);
}

struct sink_changes sink_set_compare(const struct sink_set *before, const struct sink_set *after,
                                     struct arena *arena)
{
    struct buf *changed = arena_buf(arena, SIZE_MAX);
    struct sink_changes changes = {
        .added = list_missing(after, before, changed, arena),
        .removed = list_missing(before, after, NULL, arena),
    };

    changes.changed = buf_str(changed);
    return changes;
}

/* Pumps come and go. */

void sinks_use(struct sinks *sinks, const struct sink_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        assign(&sinks->slots[set->slots[i]].wanted, set->fittings[i]);
}

static bool start(struct sinks *sinks, struct slot *slot, struct error *err)
{
    if (!pump_start(slot->wanted->pump, sinks->outbox, err))
        return false;
    assign(&slot->running, slot->wanted);
    return true;
}

bool sinks_start(struct sinks *sinks, const struct sink_set *set, struct outbox *outbox,
                 struct error *err)
{
    sinks->outbox = outbox;
    sinks_use(sinks, set);
    for (size_t i = 0; i < set->count; i++)
        if (!start(sinks, &sinks->slots[set->slots[i]], err))
            return false;
    return true;
}

/* What begins to fail and what ends failing is logged. False: it did not start. */
static bool try_to_start(struct sinks *sinks, struct slot *slot)
{
    struct error err = { 0 };

    if (clock_monotonic_us() < slot->start_us)
        return false;

    bool ok = start(sinks, slot, &err);

    if (ok && slot->has_failed)
        LOG_EVENT(LOG_WARN, "sink_started", LOG_STR("sink", str_from_c(slot->name)));
    else if (!ok && !slot->has_failed)
        LOG_EVENT(LOG_ERROR, "sink_start_failed", LOG_STR("sink", str_from_c(slot->name)),
                  LOG_STR("reason", str_from_c(err.text)));
    slot->has_failed = !ok;
    slot->start_us = ok ? 0 : clock_monotonic_us() + RETRY_US;
    return ok;
}

/* Its deliveries end, and are interrupted after a while. False: not yet. */
static bool end_running(struct slot *slot)
{
    struct pump *pump = slot->running->pump;

    if (!slot->halting) {
        pump_halt(pump);
        slot->halting = true;
        slot->end_us = clock_monotonic_us() + HALT_US;
    } else if (clock_monotonic_us() >= slot->end_us) {
        pump_interrupt(pump);
        slot->end_us = INT64_MAX;
    }
    if (!pump_has_ended(pump))
        return false;
    pump_end(pump);
    assign(&slot->running, NULL);
    slot->halting = false;
    return true;
}

/* No set has the sink any more. False: the outbox could not remove it yet. */
static bool free_slot(struct sinks *sinks, struct slot *slot)
{
    struct error err = { 0 };

    if (!outbox_remove_sink(sinks->outbox, slot->name, &err))
        return false;
    mem_free(slot->name);
    *slot = (struct slot){ 0 };
    return true;
}

static bool tend_slot(struct sinks *sinks, struct slot *slot)
{
    if (slot->running && slot->running != slot->wanted && !end_running(slot))
        return false;
    if (slot->name && slot->sets == 0)
        return free_slot(sinks, slot);
    return !slot->wanted || slot->running || try_to_start(sinks, slot);
}

bool sinks_tend(struct sinks *sinks)
{
    bool settled = true;

    for (size_t i = 0; i < OUTBOX_SINKS_MAX; i++)
        settled = tend_slot(sinks, &sinks->slots[i]) && settled;
    return settled;
}

void sinks_reopen(struct sinks *sinks)
{
    for (size_t i = 0; i < OUTBOX_SINKS_MAX; i++)
        if (sinks->slots[i].running)
            pump_reopen(sinks->slots[i].running->pump);
}

/* Drain all at the same time: they share the timeout. */
void sinks_stop(struct sinks *sinks, int64_t timeout_us)
{
    int64_t latest_us = clock_monotonic_us() + timeout_us;

    for (size_t i = 0; i < OUTBOX_SINKS_MAX; i++)
        if (sinks->slots[i].running)
            pump_drain(sinks->slots[i].running->pump);
    for (size_t i = 0; i < OUTBOX_SINKS_MAX; i++)
        if (sinks->slots[i].running)
            pump_stop(sinks->slots[i].running->pump, latest_us);
}

void sinks_destroy(struct sinks *sinks)
{
    if (!sinks)
        return;
    for (size_t i = 0; i < OUTBOX_SINKS_MAX; i++) {
        assign(&sinks->slots[i].running, NULL);
        assign(&sinks->slots[i].wanted, NULL);
        mem_free(sinks->slots[i].name);
    }
    sink_sessions_destroy(sinks->sessions);
    mem_free(sinks);
}
