/*
 * exporter.c - see exporter.h.
 */
#include "base/tracing/exporter.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/chars.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/json.h"
#include "base/member.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/tracing/span.h"

enum {
    TIMEOUT_US = 10 * US_PER_S,
    BODY_MAX = 4 * 1024 * 1024,
    ANSWER_MAX = 64 * 1024,
    MEMORY_MAX = 1024 * 1024, /* of the tree of an answer */
    RETRY_AFTER_MAX_S = 60,
};

struct exporter {
    struct arena *arena; /* of the options' texts */
    struct fetch_client *client;
    const char *url;
    const char *ca_file;
    struct exporter_header *headers;
    size_t header_count;
    struct str head; /* of a body: what is before the spans */
    struct buf body;
};

static const char *copy(struct exporter *exporter, const char *text)
{
    return text ? arena_copy(exporter->arena, str_from_c(text)).ptr : NULL;
}

/* The resource that the spans belong to, and who made them. */
static struct str write_head(struct exporter *exporter, const struct exporter_options *options)
{
    const struct span_attribute attributes[] = {
        { .key = "service.name", .text = str_from_c(options->service_name) },
        { .key = "service.version", .text = str_from_c(options->version) },
    };
    struct buf *head = arena_buf(exporter->arena, SIZE_MAX);

    buf_add(head, STR("{\"resourceSpans\":[{\"resource\":{\"attributes\":["));
    for (size_t i = 0; i < COUNT_OF(attributes); i++) {
        if (i > 0)
            buf_add_char(head, ',');
        span_write_attribute(head, &attributes[i]);
    }
    buf_add(head, STR("]},\"scopeSpans\":[{\"scope\":{"));
    member_text(head, "name", STR("sluice"));
    member_text(head, "version", str_from_c(options->version));
    buf_add(head, STR("},\"spans\":["));
    return buf_str(head);
}

struct exporter *exporter_create(const struct exporter_options *options)
{
    struct exporter *exporter = mem_alloc(sizeof(*exporter));
    struct str endpoint = str_from_c(options->endpoint);

    exporter->arena = arena_create();
    exporter->client = fetch_client_create();
    if (str_ends_with(endpoint, STR("/")))
        endpoint.len--;
    exporter->url = arena_printf(exporter->arena, "%.*s/v1/traces", STR_ARG(endpoint)).ptr;
    exporter->ca_file = copy(exporter, options->ca_file);
    exporter->headers =
        arena_alloc(exporter->arena, (options->header_count + 1) * sizeof(*exporter->headers));
    for (size_t i = 0; i < options->header_count; i++)
        exporter->headers[exporter->header_count++] =
            (struct exporter_header){ .name = copy(exporter, options->headers[i].name),
                                      .value = copy(exporter, options->headers[i].value),
                                      .file = copy(exporter, options->headers[i].file) };
    exporter->head = write_head(exporter, options);
    buf_init(&exporter->body, BODY_MAX);
    return exporter;
}

void exporter_destroy(struct exporter *exporter)
{
    if (!exporter)
        return;
    fetch_client_destroy(exporter->client);
    buf_done(&exporter->body);
    arena_destroy(exporter->arena);
    mem_free(exporter);
}

void exporter_interrupt(struct exporter *exporter)
{
    fetch_client_interrupt(exporter->client);
}

/* The collector took the call, perhaps without some spans. */
static size_t read_rejected(struct str body)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;
    const struct json_read_options options = { .max_memory = MEMORY_MAX };
    struct json_object *partial = NULL;
    struct str text;
    struct error err;
    int64_t rejected = 0;

    if (!json_read(body, &options, &answer, &err) || !json_is_object(answer) ||
        !json_find(answer, "partialSuccess", &partial) || !json_is_object(partial))
        return 0; /* an empty body is a success, too */
    text = json_find_str(partial, "rejectedSpans");
    if (text.len == 0)
        rejected = json_find_int64(partial, "rejectedSpans");
    else if (!whole_number(text, INT32_MAX, &rejected))
        rejected = 0;
    return rejected > 0 ? (size_t)rejected : 0;
}

/* By the specification these statuses, and no others, ask to come again. */
static bool asks_to_come_again(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

static void judge(const struct fetch_answer *got, struct exporter_answer *answer)
{
    struct str after = fetch_answer_header(got, "Retry-After");
    int64_t seconds = 0;

    if (got->status >= 200 && got->status < 300) {
        answer->result = EXPORTER_TAKEN;
        answer->rejected = read_rejected(buf_str(&got->body));
        return;
    }
    (void)fail(&answer->why, ERR_UNREACHABLE, "HTTP %d", got->status);
    answer->result = asks_to_come_again(got->status) ? EXPORTER_LATER : EXPORTER_REFUSED;
    if (whole_number(after, RETRY_AFTER_MAX_S, &seconds))
        answer->retry_after_us = seconds * US_PER_S;
}

/* Fill `out` with the headers; `secrets` has those that secret_free() ends. */
static bool read_headers(const struct exporter *exporter, struct fetch_header *out,
                         struct str *secrets, struct error *err)
{
    for (size_t i = 0; i < exporter->header_count; i++) {
        const struct exporter_header *header = &exporter->headers[i];

        if (header->file && !secret_read_file(header->file, &secrets[i], err))
            return false;
        out[i] = (struct fetch_header){ header->name,
                                        header->file ? secrets[i] : str_from_c(header->value) };
    }
    out[exporter->header_count] = (struct fetch_header){ "Content-Type", STR("application/json") };
    return true;
}

static void post(struct exporter *exporter, const struct fetch_header *headers,
                 struct exporter_answer *answer)
{
    CLEANUP(fetch_answer_done) struct fetch_answer got;
    const struct fetch_request request = {
        .method = "POST",
        .url = exporter->url,
        .headers = headers,
        .header_count = exporter->header_count + 1,
        .body = buf_str(&exporter->body),
        .timeout_us = TIMEOUT_US,
        .proxy = FETCH_PROXY_ENVIRONMENT,
        .ca_file = exporter->ca_file,
    };

    fetch_answer_init(&got, ANSWER_MAX);
    if (fetch_client_run(exporter->client, &request, &got, &answer->why))
        judge(&got, answer);
}

void exporter_send(struct exporter *exporter, struct str spans, struct exporter_answer *answer)
{
    size_t count = exporter->header_count;
    struct fetch_header *headers = mem_alloc_array(count + 1, sizeof(*headers));
    struct str *secrets = mem_alloc_array(count + 1, sizeof(*secrets));

    *answer = (struct exporter_answer){ .result = EXPORTER_LATER };
    buf_clear(&exporter->body);
    buf_add(&exporter->body, exporter->head);
    buf_add(&exporter->body, spans);
    buf_add(&exporter->body, STR("]}]}]}"));
    if (read_headers(exporter, headers, secrets, &answer->why))
        post(exporter, headers, answer);
    for (size_t i = 0; i < count; i++)
        secret_free(secrets[i]);
    mem_free(secrets);
    mem_free(headers);
}
