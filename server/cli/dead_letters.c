/*
 * dead_letters.c - see dead_letters.h.
 */
#include "server/cli/dead_letters.h"

#include "aws/client.h"
#include "base/chars.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/member.h"
#include "base/memory.h"
#include "server/sink_sessions.h"

enum {
    TIMEOUT_US = 30 * US_PER_S, /* of a call with its retries */
    HIDDEN_S = 300,             /* a message that was taken is hidden for so long */
    WAIT_S = 1,                 /* asks all parts of the queue */
    MOST = 10,                  /* messages in one call */
    BODY_MAX = 64 * 1024,
    PLACES = 4096, /* for kept messages, by a hash */
};

/* A message that is given back at the end. */
struct kept {
    struct kept *next; /* at the same place */
    struct str id;
    struct str receipt; /* the last one: those before may be void */
};

struct dead_letters {
    const char *queue_url;
    struct arena *arena; /* of settings and of kept receipts */
    struct arena *taken; /* of the last messages, and of calls */
    struct aws_session *session;
    struct aws_client *client;
    struct dead_letter list[MOST];
    struct kept *kept[PLACES];
};

/* Call an operation with the queue's URL and `more` members. */
static bool queue_call(struct dead_letters *letters, const char *operation, struct str more,
                       struct json_object **answer, struct error *err)
{
    struct arena *arena = letters->taken;
    struct buf *body = arena_buf(arena, BODY_MAX);
    struct aws_failure failure = { 0 };

    buf_add_char(body, '{');
    member_text(body, "QueueUrl", str_from_c(letters->queue_url));
    buf_add(body, more);
    buf_add_char(body, '}');

    const struct aws_call call = { .operation = operation,
                                   .body = buf_str(body),
                                   .deadline_us = clock_monotonic_us() + TIMEOUT_US };

    return aws_client_call(letters->client, &call, arena, answer, &failure) ||
           fail(err, ERR_SYSTEM, "sqs:%s: %s", operation, failure.error.text);
}

/* If that fails, the messages come back after HIDDEN_S. */
static void give_back(struct dead_letters *letters, const struct str *receipts, size_t count)
{
    struct buf *entries = arena_buf(letters->taken, BODY_MAX);
    struct json_object *answer;
    struct error err;

    member_open(entries, "Entries", '[');
    for (size_t i = 0; i < count; i++) {
        buf_printf(entries, "%s{\"Id\":\"%zu\",\"VisibilityTimeout\":0", i > 0 ? "," : "", i);
        member_text(entries, "ReceiptHandle", receipts[i]);
        buf_add_char(entries, '}');
    }
    buf_add_char(entries, ']');
    (void)queue_call(letters, "ChangeMessageVisibilityBatch", buf_str(entries), &answer, &err);
}

static void give_back_all(struct dead_letters *letters)
{
    struct str receipts[MOST];
    size_t count = 0;

    for (size_t i = 0; i < PLACES; i++)
        for (const struct kept *kept = letters->kept[i]; kept; kept = kept->next) {
            receipts[count++] = kept->receipt;
            if (count < MOST)
                continue;
            give_back(letters, receipts, count);
            count = 0;
        }
    if (count > 0)
        give_back(letters, receipts, count);
}

/* 0: not a number. */
static int64_t number_of(struct str text)
{
    int64_t value;

    return whole_number(text, INT64_MAX, &value) ? value : 0;
}

void dead_letters_close(struct dead_letters *letters)
{
    if (!letters)
        return;
    give_back_all(letters);
    arena_destroy(letters->taken);
    aws_client_destroy(letters->client);
    aws_session_destroy(letters->session);
    arena_destroy(letters->arena);
    mem_free(letters);
}

bool dead_letters_open(const char *queue_url, const struct config *config,
                       struct dead_letters **out, struct error *err)
{
    const struct config_sink queue = { .queue_url = queue_url,
                                       .stream = "",
                                       .bus = "",
                                       .topic_arn = "",
                                       .region = "",
                                       .profile = "",
                                       .role_arn = "" };
    struct dead_letters *letters = mem_alloc(sizeof(*letters));
    struct aws_session_options settings;

    letters->arena = arena_create();
    letters->taken = arena_create();
    letters->queue_url = queue_url;
    settings = sink_session_options(&queue, &config->aws, letters->arena);

    const struct aws_client_options options = { .service = "sqs", .region = settings.region };

    if (aws_session_create(&settings, &letters->session, err) &&
        aws_client_create(letters->session, &options, &letters->client, err)) {
        *out = letters;
        return true;
    }
    dead_letters_close(letters);
    return false;
}

uint64_t dead_letters_count(struct dead_letters *letters)
{
    struct json_object *answer;
    struct json_object *attributes;
    struct error err;
    uint64_t count = 0;

    if (queue_call(letters, "GetQueueAttributes",
                   STR(",\"AttributeNames\":[\"ApproximateNumberOfMessages\"]"), &answer, &err) &&
        json_find(answer, "Attributes", &attributes) && json_is_object(attributes))
        count = (uint64_t)number_of(json_find_str(attributes, "ApproximateNumberOfMessages"));
    return count;
}

static struct dead_letter read_letter(struct json_object *message)
{
    struct json_object *attributes = NULL;
    struct json_object *code = NULL;
    struct dead_letter letter = { .id = json_find_str(message, "MessageId"),
                                  .body = json_find_str(message, "Body"),
                                  .receipt = json_find_str(message, "ReceiptHandle"),
                                  .error_code = STR("") };

    if (json_find(message, "Attributes", &attributes) && json_is_object(attributes))
        letter.sent_us = number_of(json_find_str(attributes, "SentTimestamp")) * US_PER_MS;
    if (json_find(message, "MessageAttributes", &attributes) && json_is_object(attributes) &&
        json_find(attributes, "ERROR_CODE", &code) && json_is_object(code))
        letter.error_code = json_find_str(code, "StringValue");
    return letter;
}

/* Where the message with this id is kept; NULL stands there: it is not kept. */
static struct kept **find_kept(struct dead_letters *letters, struct str id)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < id.len; i++)
        hash = hash_keyed(hash, (uint8_t)id.ptr[i]);

    struct kept **at = &letters->kept[hash % PLACES];

    while (*at && !str_equal((*at)->id, id))
        at = &(*at)->next;
    return at;
}

/* A message that was kept comes back after HIDDEN_S. */
static void take_message(struct dead_letters *letters, struct json_object *message, size_t *count)
{
    struct dead_letter letter = read_letter(message);

    if (*find_kept(letters, letter.id))
        dead_letters_keep(letters, &letter);
    else
        letters->list[(*count)++] = letter;
}

bool dead_letters_take(struct dead_letters *letters, const struct dead_letter **list, size_t *count,
                       struct error *err)
{
    struct json_object *answer;
    struct json_object *messages = NULL;

    arena_destroy(letters->taken);
    letters->taken = arena_create();
    if (!queue_call(letters, "ReceiveMessage",
                    arena_printf(letters->taken,
                                 ",\"MaxNumberOfMessages\":%d,\"VisibilityTimeout\":%d,"
                                 "\"WaitTimeSeconds\":%d,\"AttributeNames\":[\"SentTimestamp\"],"
                                 "\"MessageAttributeNames\":[\"All\"]",
                                 MOST, HIDDEN_S, WAIT_S),
                    &answer, err))
        return false;
    *list = letters->list;
    *count = 0;
    if (!json_find(answer, "Messages", &messages) || !json_is_array(messages))
        return true;
    for (size_t i = 0; i < json_count(messages) && i < MOST; i++)
        if (json_is_object(json_at(messages, i)))
            take_message(letters, json_at(messages, i), count);
    return true;
}

bool dead_letters_remove(struct dead_letters *letters, const struct dead_letter *letter,
                         struct error *err)
{
    struct buf *receipt = arena_buf(letters->taken, BODY_MAX);
    struct json_object *answer;

    member_text(receipt, "ReceiptHandle", letter->receipt);
    return queue_call(letters, "DeleteMessage", buf_str(receipt), &answer, err);
}

void dead_letters_keep(struct dead_letters *letters, const struct dead_letter *letter)
{
    struct kept **at = find_kept(letters, letter->id);

    if (!*at) {
        *at = arena_alloc(letters->arena, sizeof(**at));
        (*at)->id = arena_copy(letters->arena, letter->id);
    }
    (*at)->receipt = arena_copy(letters->arena, letter->receipt);
}
