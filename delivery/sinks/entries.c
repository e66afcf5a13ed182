/*
 * entries.c - see entries.h.
 */
#include "delivery/sinks/entries.h"

#include <stdatomic.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/member.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "delivery/record_text.h"

enum {
    MIB = 1024 * 1024,
    SERVICE_UNAVAILABLE = 503,
    MESSAGE_MAX = 300,                    /* bytes of a target's words about an entry */
    LONGEST_ATTEMPT_US = 3600 * US_PER_S, /* the call's deadline counts */
};

struct entries {
    struct entries_target target;
    const char *region;
    int64_t timeout_us;
    atomic_bool interrupted;
    size_t client_count;
    struct aws_client *clients[]; /* one for each slot */
};

/* What one delivery has in all its calls. */
struct entries_run {
    struct entries *entries;
    const struct sink_batch *batch;
    struct sink_answer *answer;
    bool any_arrived;
    struct arena *reading; /* of the record that is being added; NULL: none has been read */
};

static void set(struct entries_call *call, size_t entry, enum sink_result result,
                const char *reason)
{
    call->answer->outcomes[call->records[entry]] = (struct sink_outcome){ result, reason };
}

/* The tree is valid until the next record is read. */
static bool read_record(struct entries_run *run, struct entries_item *item)
{
    const struct flat_options options = { .max_depth = JSON_DEPTH_LIMIT };

    if (run->reading)
        arena_reset(run->reading);
    else
        run->reading = arena_create();
    return flat_read(run->reading, item->record->bytes, &options, &item->tree, &item->error);
}

/* Append an entry for record `index`. False: it needs the next call. */
static bool add_entry(struct entries_run *run, struct entries_call *call, size_t index)
{
    const struct entries_target *target = &run->entries->target;
    struct entries_item item = { .record = &run->batch->records[index],
                                 .arena = run->batch->arena };
    size_t mark = call->body->len;
    enum entries_added added = ENTRIES_IMPOSSIBLE;

    if (!target->reads_records || read_record(run, &item)) {
        if (call->count > 0)
            buf_add(call->body, target->separator);
        added = target->add(target->self, call, &item);
    }
    if (added == ENTRIES_ADDED && call->count > 0 && call->bytes + item.size > target->max_bytes)
        added = ENTRIES_NEXT_CALL;
    if (added == ENTRIES_ADDED) {
        call->records[call->count++] = index;
        call->bytes += item.size;
        return true;
    }
    call->body->len = mark;
    if (added == ENTRIES_IMPOSSIBLE)
        run->answer->outcomes[index] =
            (struct sink_outcome){ SINK_IMPOSSIBLE,
                                   arena_copy(run->batch->arena, str_from_c(item.error.text)).ptr };
    return added == ENTRIES_IMPOSSIBLE;
}

/* Fill a call with records from `next` on. Returns the first one that is left. */
static size_t fill_call(struct entries_run *run, struct entries_call *call, size_t next)
{
    const struct entries_target *target = &run->entries->target;
    size_t end = run->batch->in_order ? next + 1 : run->batch->count;

    *call = (struct entries_call){
        .batch = run->batch,
        .answer = run->answer,
        .body = arena_buf(run->batch->arena, SIZE_MAX),
        .records = arena_alloc(run->batch->arena, (end - next) * sizeof(*call->records)),
        .target = target->call_size ? arena_alloc(run->batch->arena, target->call_size) : NULL,
    };
    buf_add(call->body, target->head);
    while (next < end && call->count < target->max_records && add_entry(run, call, next))
        next++;
    buf_add(call->body, target->tail);
    return next;
}

/* "kinesis:PutRecords in eu-west-1: " and what the target says. */
static const char *reason_of(const struct entries_run *run, const char *text)
{
    return arena_printf(run->batch->arena, "%s in %s: %s", run->entries->target.right,
                        run->entries->region, text)
        .ptr;
}

/*
 * The request is at fault. Which record, is known only if there is one. After another call of this
 * delivery the records are postponed, because a batch that is refused together must be whole.
 */
static bool refuse_call(struct entries_run *run, struct entries_call *call, const char *reason)
{
    bool is_known = call->count == 1;

    run->answer->together = !is_known && !run->any_arrived;
    for (size_t i = 0; i < call->count; i++)
        set(call, i, is_known || run->answer->together ? SINK_REFUSED : SINK_POSTPONED, reason);
    return is_known;
}

/* Does the target take fewer records than it gets? Firehose says so as if it was down. */
static bool is_busy(enum aws_failure_kind kind, struct str code)
{
    return kind == AWS_THROTTLED || str_starts_with(code, STR("ServiceUnavailable"));
}

/* The call failed as a whole. False: do not make the next one. */
static bool judge_failure(struct entries_run *run, struct entries_call *call,
                          const struct aws_failure *failure)
{
    enum aws_class class = aws_failure_class(failure->kind);
    bool is_interrupted = atomic_load(&run->entries->interrupted); /* credentials may be missing */
    bool is_misconfigured = class == AWS_CLASS_CONFIGURATION && !is_interrupted;

    /* The words of the target can quote a record, except when the record is not looked at. */
    if (class == AWS_CLASS_INVALID)
        return refuse_call(run, call, reason_of(run, failure->code));
    for (size_t i = 0; i < call->count; i++)
        set(call, i, is_misconfigured ? SINK_MISCONFIGURED : SINK_POSTPONED,
            reason_of(run, failure->error.text));
    if (is_busy(failure->kind, str_from_c(failure->code)))
        run->answer->busy = SINK_THROTTLED;
    else if (failure->status == SERVICE_UNAVAILABLE)
        run->answer->busy = SINK_UNAVAILABLE;
    run->answer->is_sink_wide = is_misconfigured || run->answer->busy != SINK_NOT_BUSY;
    run->answer->retry_after_us = failure->retry_after_us;
    return false;
}

static bool call_target(struct entries_run *run, struct entries_call *call)
{
    const struct entries *entries = run->entries;
    const struct entries_target *target = &entries->target;
    int64_t more_us = (int64_t)(call->body->len / MIB) * US_PER_S;
    struct json_object *answer = NULL;
    struct aws_failure failure;

    if (!target->call(entries->clients[run->batch->slot],
                      &(struct aws_call){
                          .operation = target->operation,
                          .body = buf_str(call->body),
                          .deadline_us = clock_monotonic_us() + entries->timeout_us + more_us,
                          .max_answer_bytes = target->max_answer,
                      },
                      run->batch->arena, &answer, &failure))
        return judge_failure(run, call, &failure);

    for (size_t i = 0; i < call->count; i++)
        set(call, i, SINK_POSTPONED, reason_of(run, "the answer does not have the record"));
    target->judge(target->self, call, answer);
    for (size_t i = 0; i < call->count; i++)
        run->any_arrived |= run->answer->outcomes[call->records[i]].result == SINK_DELIVERED;
    return true;
}

static void entries_deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    struct entries_run run = { .entries = self, .batch = batch, .answer = answer };
    size_t next = 0;
    bool goes_on = true;

    while (goes_on && next < batch->count) {
        struct entries_call call;

        next = fill_call(&run, &call, next);
        if (call.count > 0)
            goes_on = call_target(&run, &call);
        if (batch->in_order)
            goes_on = goes_on && answer->outcomes[next - 1].result == SINK_DELIVERED;
    }
    for (; next < batch->count; next++)
        answer->outcomes[next] =
            (struct sink_outcome){ SINK_POSTPONED, reason_of(&run, "an earlier call failed") };
    arena_destroy(run.reading);
}

static size_t entries_cost(void *self, const struct sink_record *record)
{
    const struct entries *entries = self;

    return entries->target.cost(entries->target.self, record);
}

static void entries_interrupt(void *self)
{
    struct entries *entries = self;

    atomic_store(&entries->interrupted, true);
    for (size_t i = 0; i < entries->client_count; i++)
        aws_client_interrupt(entries->clients[i]);
}

static void free_entries(struct entries *entries)
{
    for (size_t i = 0; i < entries->client_count; i++)
        aws_client_destroy(entries->clients[i]);
    mem_free(entries);
}

static void entries_destroy(void *self)
{
    struct entries *entries = self;

    entries->target.destroy(entries->target.self);
    free_entries(entries);
}

/* The smaller one of the configuration's number, if there is one, and the target's. */
static size_t most_records(const struct entries_options *options, size_t most)
{
    if (options->ordered)
        return 1;
    return options->batch > 0 && options->batch < most ? options->batch : most;
}

bool entries_create(const struct entries_options *options, const struct entries_target *target,
                    struct sink *out, struct error *err)
{
    const struct aws_client_options client = {
        .service = target->service,
        .region = options->region,
        .endpoint_url = options->endpoint_url,
        .attempts = 1,
        .attempt_time_us = LONGEST_ATTEMPT_US,
    };
    size_t slots = options->in_flight > 0 ? options->in_flight : ENTRIES_IN_FLIGHT;
    struct entries *entries = mem_alloc(sizeof(*entries) + slots * sizeof(struct aws_client *));

    entries->target = *target;
    if (!target->call)
        entries->target.call = aws_client_call;
    entries->target.max_records = most_records(options, target->max_records);
    entries->region = options->region && *options->region ? options->region
                                                          : aws_session_region(options->session);
    entries->timeout_us = options->timeout_us;
    atomic_init(&entries->interrupted, false);
    for (size_t i = 0; i < slots; i++) {
        if (!aws_client_create(options->session, &client, &entries->clients[i], err)) {
            free_entries(entries);
            return false;
        }
        entries->client_count++;
    }
    *out = (struct sink){ .in_flight = slots,
                          .max_records = entries->target.max_records,
                          .max_bytes = target->max_bytes,
                          .cost = entries_cost,
                          .deliver = entries_deliver,
                          .interrupt = entries_interrupt,
                          .destroy = entries_destroy,
                          .self = entries };
    return true;
}

void entries_arrived(struct entries_call *call, size_t entry)
{
    set(call, entry, SINK_DELIVERED, NULL);
}

static enum sink_result result_of(enum aws_failure_kind kind, bool is_senders)
{
    if (kind == AWS_OTHER)
        return is_senders ? SINK_REFUSED : SINK_POSTPONED;
    switch (aws_failure_class(kind)) {
    case AWS_CLASS_CONFIGURATION:
        return SINK_MISCONFIGURED;
    case AWS_CLASS_INVALID:
        return SINK_REFUSED;
    case AWS_CLASS_EXISTS:
        return SINK_DELIVERED;
    default:
        return SINK_POSTPONED;
    }
}

/* "CODE: message" on one line. */
static const char *one_line(struct arena *arena, struct str code, struct str message)
{
    struct buf *line = arena_buf(arena, SIZE_MAX);

    buf_printf(line, "%.*s%s%.*s", STR_ARG(code), message.len > 0 ? ": " : "", STR_ARG(message));
    for (size_t i = 0; i < line->len; i++)
        if ((unsigned char)line->ptr[i] < ' ')
            line->ptr[i] = ' ';
    return line->ptr;
}

void entries_failed(struct entries_call *call, size_t entry, const struct entries_fault *fault)
{
    enum aws_failure_kind kind = aws_failure_of_code(fault->code);
    enum sink_result result = result_of(kind, fault->is_senders);
    struct str code = fault->code.len > 0 ? utf8_prefix(fault->code, AWS_CODE_SIZE) : STR("failed");
    struct str message = STR_NONE;

    /* The words about a record can quote it. */
    if (result == SINK_MISCONFIGURED)
        message = utf8_prefix(fault->message, MESSAGE_MAX);
    call->answer->is_sink_wide |= is_busy(kind, fault->code);
    set(call, entry, result,
        result == SINK_DELIVERED ? NULL : one_line(call->batch->arena, code, message));
}

/* A member that can be absent, null or "". */
static struct entries_fault fault_of(struct json_object *entry, const char *code,
                                     const char *message)
{
    return (struct entries_fault){ .code = json_find_str(entry, code),
                                   .message = json_find_str(entry, message) };
}

void entries_judge_by_position(struct entries_call *call, struct json_object *answer,
                               const char *list, const char *proof)
{
    struct json_object *entries = NULL;

    if (!json_find(answer, list, &entries) || !json_is_array(entries))
        return;
    for (size_t i = 0; i < call->count && i < json_count(entries); i++) {
        struct json_object *entry = json_at(entries, i);
        struct entries_fault fault;

        if (!json_is_object(entry))
            continue;
        fault = fault_of(entry, "ErrorCode", "ErrorMessage");
        if (fault.code.len > 0)
            entries_failed(call, i, &fault);
        else if (json_find_str(entry, proof).len > 0)
            entries_arrived(call, i);
    }
}

/* The index of the entry that an element of Successful or Failed names. */
static bool find_entry(const struct entries_call *call, struct json_object *element, size_t *entry)
{
    if (!json_is_object(element))
        return false;
    *entry = json_pointer_index(json_find_str(element, "Id"));
    return *entry < call->count;
}

/* Elements of answer.LIST; none if it is absent. */
static struct json_object *list_of(struct json_object *answer, const char *name, size_t *count)
{
    struct json_object *list = NULL;

    *count = json_find(answer, name, &list) && json_is_array(list) ? json_count(list) : 0;
    return list;
}

void entries_judge_by_id(struct entries_call *call, struct json_object *answer)
{
    size_t count;
    size_t entry;
    struct json_object *list = list_of(answer, "Successful", &count);

    for (size_t i = 0; i < count; i++)
        if (find_entry(call, json_at(list, i), &entry))
            entries_arrived(call, entry);
    list = list_of(answer, "Failed", &count);
    for (size_t i = 0; i < count; i++) {
        struct json_object *element = json_at(list, i);
        struct json_object *is_senders = NULL;
        struct entries_fault fault;

        if (!find_entry(call, element, &entry))
            continue;
        fault = fault_of(element, "Code", "Message");
        fault.is_senders = json_find(element, "SenderFault", &is_senders) &&
                           json_kind(is_senders) == JSON_BOOLEAN &&
                           json_object_get_boolean(is_senders);
        entries_failed(call, entry, &fault);
    }
}

struct str entries_key(struct str text, bool is_fit, struct arena *arena)
{
    struct buf *hex;
    uint8_t digest[SECRET_DIGEST_SIZE];

    if (is_fit)
        return text;
    hex = arena_buf(arena, SIZE_MAX);
    secret_digest(text, digest);
    buf_add_hex(hex, digest, sizeof(digest));
    return buf_str(hex);
}

bool entries_pointer(const char *text, struct json_pointer **out, struct error *err)
{
    *out = NULL;
    return !text || !*text || json_pointer_create(str_from_c(text), out, err);
}

struct str entries_group(const struct entries_item *item, const struct json_pointer *pointer)
{
    struct str text;

    if (!pointer)
        return item->record->order_key;
    text = record_text(item->tree, pointer, item->arena);
    return text.ptr ? text : item->record->key;
}

struct str entries_head(struct arena *arena, const char *name, const char *target, const char *list)
{
    struct buf *head = arena_buf(arena, SIZE_MAX);

    buf_add_char(head, '{');
    member_text(head, name, str_from_c(target));
    member_open(head, list, '[');
    return buf_str(head);
}

void entries_add_data(const struct entries_call *call, const struct entries_item *item,
                      bool newline)
{
    struct buf *data = arena_buf(item->arena, SIZE_MAX);
    struct str text;

    buf_add(data, item->record->head);
    buf_add(data, item->record->bytes);
    if (newline)
        buf_add_char(data, '\n');
    text = secret_base64(buf_str(data));
    buf_add(call->body, STR("{\"Data\":\""));
    buf_add(call->body, text);
    buf_add_char(call->body, '"');
    secret_free(text);
}
