/*
 * outbox.c - see outbox.h. What both kinds of outbox do, and the way to the one that is in use.
 */
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "delivery/outbox/outbox_internal.h"

struct outbox_sink *outbox_list_sinks(const struct outbox_options *options)
{
    struct outbox_sink *list = mem_alloc_array(options->sink_count + 1, sizeof(*list));

    for (size_t i = 0; i < options->sink_count; i++)
        list[i] = (struct outbox_sink){ options->sinks[i], i,
                                        options->sink_routes ? options->sink_routes[i] : NULL };
    return list;
}

void outbox_init(struct outbox *outbox, const struct outbox_operations *operations,
                 const struct outbox_options *options)
{
    outbox->operations = operations;
    outbox->options = *options;
    outbox->options.path = mem_copy_string(options->path);
    outbox->options.sinks = outbox->options.sink_routes = NULL;
    outbox->options.sink_count = 0;
    work_queue_init(&outbox->queue, options->max_queued);
    (void)pthread_mutex_init(&outbox->mutex, NULL);
    clock_init_condition(&outbox->news);
    atomic_init(&outbox->state, OUTBOX_FINE);
    atomic_init(&outbox->busy_since_us, 0);
    atomic_init(&outbox->hurried, false);
}

void outbox_done(struct outbox *outbox)
{
    (void)pthread_cond_destroy(&outbox->news);
    (void)pthread_mutex_destroy(&outbox->mutex);
    mem_free((void *)outbox->options.path);
}

bool outbox_create(const struct outbox_options *options, struct outbox **out, struct error *err)
{
    return *options->path ? store_create(options, out, err) : memory_create(options, out, err);
}

bool outbox_start(struct outbox *outbox, struct error *err)
{
    outbox->running = true;
    if (!outbox->operations->start || outbox->operations->start(outbox, err))
        return true;
    outbox->running = false;
    return false;
}

void outbox_stop(struct outbox *outbox)
{
    (void)pthread_mutex_lock(&outbox->mutex);

    bool running = outbox->running && !outbox->stopping;

    outbox->stopping = true;
    outbox->round++;
    (void)pthread_cond_broadcast(&outbox->news);
    (void)pthread_mutex_unlock(&outbox->mutex);
    if (running)
        outbox->operations->stop(outbox);
}

void outbox_destroy(struct outbox *outbox)
{
    if (!outbox)
        return;
    outbox_stop(outbox);
    outbox->operations->destroy(outbox);
}

bool outbox_submit(struct outbox *outbox, const struct outbox_request *request,
                   struct outbox_job **job, struct error *err)
{
    return outbox->operations->submit(outbox, request, job, err);
}

bool outbox_add_sinks(struct outbox *outbox, const struct outbox_sink *sinks, size_t count,
                      struct error *err)
{
    return outbox->operations->add_sinks(outbox, sinks, count, err);
}

bool outbox_remove_sink(struct outbox *outbox, const char *name, struct error *err)
{
    return outbox->operations->remove_sink(outbox, name, err);
}

bool outbox_run(struct outbox *outbox, outbox_task *task, void *arg, struct error *err)
{
    if (!outbox->operations->run)
        return fail(err, ERR_CONFIG, "there is no store");
    return outbox->operations->run(outbox, task, arg, err);
}

const char *outbox_why_not(const struct outbox *outbox, const struct work *work)
{
    if (!outbox->running || outbox->stopping)
        return "draining";
    if (outbox->failing)
        return "store failing";
    return work_queue_has_room(&outbox->queue, work) ? NULL : "store queue full";
}

void outbox_hurry(struct outbox *outbox)
{
    atomic_store(&outbox->hurried, true);
}

bool outbox_is_stalled(const struct outbox *outbox)
{
    int64_t since_us = atomic_load(&outbox->busy_since_us);

    return outbox->options.stall_us > 0 && since_us != 0 &&
           clock_monotonic_us() - since_us > outbox->options.stall_us;
}

const char *outbox_trouble(const struct outbox *outbox)
{
    static const char *const words[] = {
        [OUTBOX_FINE] = NULL,
        [OUTBOX_FULL] = "full",
        [OUTBOX_FAILING] = "failing",
    };

    int state = atomic_load(&outbox->state);

    return state != OUTBOX_FAILING && outbox_is_stalled(outbox) ? "stalled" : words[state];
}

void outbox_note_oldest(struct outbox *outbox, size_t sink, int64_t accepted_us)
{
    struct outbox_oldest *oldest = &outbox->oldest[sink];
    int64_t age_us = clock_now_us() - accepted_us;

    if (oldest->accepted_us == accepted_us)
        return;
    oldest->accepted_us = accepted_us;
    oldest->since_us = clock_monotonic_us() - (age_us > 0 ? age_us : 0);
}

void outbox_counters(struct outbox *outbox, struct outbox_counters *out)
{
    *out = (struct outbox_counters){ 0 };
    (void)pthread_mutex_lock(&outbox->mutex);
    tally_show(&outbox->published, out);
    outbox->operations->show_size(outbox, out);
    for (size_t i = 0; i < out->sink_count; i++)
        if (out->sinks[i].pending > 0 && outbox->oldest[i].accepted_us > 0) {
            out->sinks[i].oldest_us = outbox->oldest[i].accepted_us;
            out->sinks[i].oldest_age_us = clock_monotonic_us() - outbox->oldest[i].since_us;
        }
    out->commit_us = outbox->commit_us;
    out->batch_events = outbox->batch_events;
    (void)pthread_mutex_unlock(&outbox->mutex);
}
