/*
 * kafka.c - see kafka.h.
 *
 * deliver() hands records over to the producer and waits a short time for reports. What has no
 * report by then stays in flight (SINK_UNDER_WAY) and is found in the table of flights when the
 * pump delivers it again, so a producer never gets a record twice. A producer ends with an error
 * that stops it for good, or when a file or the operator asks for a new one; then what it had in
 * flight is handed over to the next one, and can be written twice.
 */
#include "delivery/sinks/kafka.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "delivery/sinks/kafka_flights.h"

enum {
    WAIT_US = 500 * US_PER_MS, /* for reports, in one delivery */
    POLL_US = 50 * US_PER_MS,  /* how soon an interruption is seen */
    STALL_US = 8 * US_PER_S,   /* in flight for longer: the sink fails */
    LOOK_US = US_PER_S,        /* how often files are looked at */
    BATCH_BYTES = 8 * 1024 * 1024,
    FILES = 4,
};

struct sink_kafka {
    struct sink_kafka_options options;
    struct kafka_producer *producer; /* NULL: none yet */
    struct kafka_flights flights;
    size_t in_flight;     /* entries of `flights` without a report */
    uint64_t call;        /* deliveries so far */
    size_t awaited;       /* records that this delivery has handed over, without a report */
    size_t reports;       /* in this delivery */
    struct error trouble; /* the last error that was not about one record; "": none since the */
    enum sink_result troubled; /* last record arrived. SINK_MISCONFIGURED or SINK_POSTPONED */
    struct file_stamp stamps[FILES];
    int64_t next_look_us;
    atomic_bool is_reopening;
    atomic_bool is_interrupted;
};

/* What the producer reports, on the thread that delivers. */

static void on_trouble(void *self, enum sink_result result, const char *text)
{
    struct sink_kafka *kafka = self;

    kafka->troubled = result;
    (void)fail(&kafka->trouble, ERR_UNREACHABLE, "%s", text);
}

static void on_report(void *self, int64_t sequence, enum sink_result result, const char *reason)
{
    struct sink_kafka *kafka = self;
    struct kafka_flight *flight = kafka_flights_find(&kafka->flights, sequence);

    if (!flight)
        return;
    flight->result = result;
    flight->reason = reason;
    flight->since_us = clock_monotonic_us();
    kafka->in_flight--;
    kafka->reports++;
    kafka->awaited -= flight->call == kafka->call;
    if (result == SINK_DELIVERED)
        kafka->trouble.text[0] = '\0';
    else if (result == SINK_MISCONFIGURED)
        on_trouble(kafka, result, reason);
}

/* The producer. */

static void stamp_files(const struct sink_kafka *kafka, struct file_stamp stamps[static FILES])
{
    const struct kafka_producer_options *options = &kafka->options.producer;
    const char *const files[FILES] = { options->password_file, options->ca_file, options->cert_file,
                                       options->key_file };

    for (size_t i = 0; i < FILES; i++)
        stamps[i] = *files[i] ? secret_stamp(files[i]) : (struct file_stamp){ 0 };
}

/* Reported, and the pump has not asked for so long: it has settled the record without the sink. */
static bool is_abandoned(const struct kafka_flight *flight, const void *self)
{
    const struct sink_kafka *kafka = self;

    return flight->result != SINK_UNDER_WAY &&
           clock_monotonic_us() - flight->since_us > kafka->options.forget_after_us;
}

/* Once a second: forget what is abandoned, and see whether a file has changed. */
static void look_after(struct sink_kafka *kafka)
{
    struct file_stamp stamps[FILES];

    if (clock_monotonic_us() < kafka->next_look_us)
        return;
    kafka->next_look_us = clock_monotonic_us() + LOOK_US;
    kafka_flights_prune(&kafka->flights, is_abandoned, kafka);
    stamp_files(kafka, stamps);
    for (size_t i = 0; i < FILES; i++)
        if (!file_stamp_equal(&stamps[i], &kafka->stamps[i]))
            atomic_store(&kafka->is_reopening, true);
}

static bool has_not_arrived(const struct kafka_flight *flight, const void *self)
{
    (void)self;
    return flight->result != SINK_DELIVERED;
}

/* All records that are not known to have arrived will be handed over to the next producer. */
static void end_producer(struct sink_kafka *kafka)
{
    kafka_producer_destroy(kafka->producer);
    kafka->producer = NULL;
    kafka_flights_prune(&kafka->flights, has_not_arrived, NULL);
    kafka->in_flight = 0;
}

static void log_end(const struct sink_kafka *kafka, const char *reason)
{
    LOG_EVENT(LOG_WARN, "kafka_producer_ended",
              LOG_STR("sink", str_from_c(kafka->options.producer.sink)),
              LOG_STR("reason", str_from_c(reason)), LOG_INT("in_flight", kafka->in_flight));
}

/*
 * Files are read when a producer is created. A healthy producer is replaced when nothing is in
 * flight, so that nothing is written twice.
 */
static void end_outdated(struct sink_kafka *kafka)
{
    if (!kafka->producer || !atomic_load(&kafka->is_reopening) ||
        (kafka->in_flight > 0 && !*kafka->trouble.text))
        return;
    if (kafka->in_flight > 0)
        log_end(kafka, "files are read again");
    end_producer(kafka);
}

static bool have_producer(struct sink_kafka *kafka, struct error *err)
{
    const struct kafka_listener listener = { on_report, on_trouble, kafka };

    look_after(kafka);
    end_outdated(kafka);
    if (kafka->producer)
        return true;
    atomic_store(&kafka->is_reopening, false);
    stamp_files(kafka, kafka->stamps);
    if (!kafka_producer_create(&kafka->options.producer, &listener, &kafka->producer, err))
        return false;
    kafka->trouble.text[0] = '\0';
    return true;
}

/* The producer has met a fatal error. Its last reports come first. */
static void end_dead(struct sink_kafka *kafka, enum sink_result result, const struct error *err)
{
    log_end(kafka, err->text);
    kafka_producer_poll(kafka->producer, 0);
    on_trouble(kafka, result, err->text);
    end_producer(kafka);
}

/* Handing over, and waiting. */

static bool is_wait_over(const struct sink_kafka *kafka, int64_t until_us)
{
    enum sink_result result;
    struct error err;

    return clock_monotonic_us() >= until_us || atomic_load(&kafka->is_interrupted) ||
           kafka_producer_is_dead(kafka->producer, &result, &err);
}

static void poll_until(struct sink_kafka *kafka, int64_t until_us)
{
    int64_t left_us = until_us - clock_monotonic_us();

    kafka_producer_poll(kafka->producer, left_us < 0 ? 0 : left_us < POLL_US ? left_us : POLL_US);
}

/* For the reports of this delivery; if it has handed over nothing, for any report. */
static void await_reports(struct sink_kafka *kafka, int64_t until_us)
{
    while ((kafka->awaited > 0 || (kafka->in_flight > 0 && kafka->reports == 0)) &&
           !is_wait_over(kafka, until_us))
        poll_until(kafka, until_us);
}

/* False: the producer takes no more records now. */
static bool hand_over(struct sink_kafka *kafka, const struct sink_record *record,
                      struct sink_outcome *outcome, int64_t until_us)
{
    enum sink_result result;
    const char *reason = NULL;

    if (kafka_flights_find(&kafka->flights, record->sequence))
        return true;
    while ((result = kafka_producer_send(kafka->producer, record, &reason)) == SINK_POSTPONED) {
        if (is_wait_over(kafka, until_us))
            return false;
        poll_until(kafka, until_us);
    }
    if (result != SINK_UNDER_WAY) {
        *outcome = (struct sink_outcome){ result, reason };
        return true;
    }
    kafka_flights_add(&kafka->flights, &(struct kafka_flight){ .sequence = record->sequence,
                                                               .since_us = clock_monotonic_us(),
                                                               .call = kafka->call,
                                                               .result = SINK_UNDER_WAY });
    kafka->in_flight++;
    kafka->awaited++;
    return true;
}

/* The producer keeps the order of what it has accepted, so the first failure ends the batch. */
static void hand_over_all(struct sink_kafka *kafka, const struct sink_batch *batch,
                          struct sink_answer *answer)
{
    int64_t until_us = clock_monotonic_us() + WAIT_US;

    for (size_t i = 0; i < batch->count; i++)
        if (!hand_over(kafka, &batch->records[i], &answer->outcomes[i], until_us))
            break;
    await_reports(kafka, until_us);
}

/* One after the other: whether a record arrives is not known before the report. */
static void hand_over_in_order(struct sink_kafka *kafka, const struct sink_batch *batch,
                               struct sink_answer *answer)
{
    for (size_t i = 0; i < batch->count; i++) {
        int64_t until_us = clock_monotonic_us() + WAIT_US;
        const struct kafka_flight *flight;

        if (!hand_over(kafka, &batch->records[i], &answer->outcomes[i], until_us))
            return;
        await_reports(kafka, until_us);
        flight = kafka_flights_find(&kafka->flights, batch->records[i].sequence);
        if (!flight || flight->result != SINK_DELIVERED)
            return;
    }
}

/* The answer. */

/* In flight for too long, or while the brokers refuse us: the sink fails. */
static struct sink_outcome outcome_in_flight(const struct sink_kafka *kafka,
                                             const struct kafka_flight *flight)
{
    bool is_stalled = clock_monotonic_us() - flight->since_us > STALL_US;

    if (*kafka->trouble.text && (is_stalled || kafka->troubled == SINK_MISCONFIGURED))
        return (struct sink_outcome){ kafka->troubled, kafka->trouble.text };
    if (is_stalled)
        return (struct sink_outcome){ SINK_POSTPONED, "the brokers do not confirm the record" };
    return (struct sink_outcome){ SINK_UNDER_WAY, "the brokers have not confirmed it yet" };
}

static struct sink_outcome outcome_of(const struct sink_kafka *kafka, int64_t sequence)
{
    const struct kafka_flight *flight = kafka_flights_find(&kafka->flights, sequence);

    if (!flight && !kafka->producer)
        return (struct sink_outcome){ kafka->troubled, kafka->trouble.text };
    if (!flight)
        return (struct sink_outcome){ SINK_UNDER_WAY, "it waits for records before it" };
    if (flight->result == SINK_UNDER_WAY)
        return outcome_in_flight(kafka, flight);
    return (struct sink_outcome){ flight->result, flight->reason };
}

static void fill_answer(struct sink_kafka *kafka, const struct sink_batch *batch,
                        struct sink_answer *answer)
{
    size_t refused = 0;

    for (size_t i = 0; i < batch->count; i++) {
        struct sink_outcome *outcome = &answer->outcomes[i];

        if (!outcome->reason)
            *outcome = outcome_of(kafka, batch->records[i].sequence);
        if (outcome->reason)
            outcome->reason = arena_copy(batch->arena, str_from_c(outcome->reason)).ptr;
        refused += outcome->result == SINK_REFUSED;
        answer->is_sink_wide = answer->is_sink_wide || outcome->result == SINK_POSTPONED ||
                               outcome->result == SINK_MISCONFIGURED;
    }
    answer->together = refused > 1; /* a broker refuses all records of a request for one of them */
}

/*
 * Forget what is answered. The pump delivers a batch that was refused together again, all of it:
 * then those records that have arrived must not be produced again.
 */
static void forget(struct sink_kafka *kafka, const struct sink_batch *batch,
                   const struct sink_answer *answer)
{
    for (size_t i = 0; i < batch->count; i++) {
        int64_t sequence = batch->records[i].sequence;
        const struct kafka_flight *flight = kafka_flights_find(&kafka->flights, sequence);

        if (flight && flight->result != SINK_UNDER_WAY &&
            !(answer->together && flight->result == SINK_DELIVERED))
            kafka_flights_remove(&kafka->flights, sequence);
    }
}

static void kafka_deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    struct sink_kafka *kafka = self;
    enum sink_result result = SINK_MISCONFIGURED;
    struct error err;

    if (atomic_load(&kafka->is_interrupted)) {
        sink_answer_all(batch, answer, SINK_POSTPONED, "interrupted");
        return;
    }
    if (!have_producer(kafka, &err)) {
        answer->is_sink_wide = true;
        sink_answer_all(batch, answer, result, arena_copy(batch->arena, str_from_c(err.text)).ptr);
        return;
    }
    kafka->call++;
    kafka->awaited = kafka->reports = 0;
    if (batch->in_order)
        hand_over_in_order(kafka, batch, answer);
    else
        hand_over_all(kafka, batch, answer);
    if (kafka_producer_is_dead(kafka->producer, &result, &err))
        end_dead(kafka, result, &err);
    fill_answer(kafka, batch, answer);
    forget(kafka, batch, answer);
}

/* Connects before the first record. What is wrong is the next delivery's answer. */
static void kafka_tend(void *self)
{
    struct sink_kafka *kafka = self;
    struct error err;

    if (have_producer(kafka, &err))
        kafka_producer_poll(kafka->producer, 0);
}

static void kafka_interrupt(void *self)
{
    struct sink_kafka *kafka = self;

    atomic_store(&kafka->is_interrupted, true);
}

static void kafka_reopen(void *self)
{
    struct sink_kafka *kafka = self;

    atomic_store(&kafka->is_reopening, true);
}

static size_t kafka_cost(void *self, const struct sink_record *record)
{
    const struct sink_kafka *kafka = self;

    return kafka_producer_cost(&kafka->options.producer, record);
}

static void kafka_destroy(void *self)
{
    struct sink_kafka *kafka = self;

    kafka_producer_destroy(kafka->producer);
    kafka_flights_done(&kafka->flights);
    mem_free(kafka);
}

struct sink sink_kafka(const struct sink_kafka_options *options)
{
    struct sink_kafka *kafka = mem_alloc(sizeof(*kafka));

    kafka->options = *options;
    return (struct sink){ .in_flight = 1,
                          .max_records = options->batch,
                          .max_bytes = BATCH_BYTES,
                          .cost = kafka_cost,
                          .deliver = kafka_deliver,
                          .interrupt = kafka_interrupt,
                          .tend = kafka_tend,
                          .reopen = kafka_reopen,
                          .destroy = kafka_destroy,
                          .self = kafka };
}
