/*
 * api.c - see api.h.
 */
#include "server/api.h"

#include <string.h>

#include "base/chars.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/uri.h"
#include "base/utf8.h"

enum {
    TEXT_MAX = 64 * 1024,
    PARAMETERS_MAX = 12,
    RETRY_AFTER_SECONDS = 1,
};

#define FILTERS "event_id", "route", "outcome", "rule", "schema_version", "since", "until", "all"

static const struct endpoint {
    const char *path;
    const char *order;
    enum handler_method method;
    enum admin_guard_act act;
    const char *parameters[PARAMETERS_MAX]; /* that the query may have */
} endpoints[API_HANDLERS] = {
    { "/api/v1/state", "top", HANDLER_GET, ADMIN_READS, { NULL } },
    { "/api/v1/history", "history", HANDLER_GET, ADMIN_READS, { NULL } },
    { "/api/v1/schemas", "schemas", HANDLER_GET, ADMIN_READS, { NULL } },
    { "/api/v1/schemas/texts", "schema-texts", HANDLER_GET, ADMIN_READS, { "registry", "schema" } },
    { "/api/v1/shadows", "shadows", HANDLER_GET, ADMIN_READS, { NULL } },
    { "/api/v1/refused", "refused", HANDLER_GET, ADMIN_READS, { FILTERS, "before", "limit" } },
    { "/api/v1/refused/groups", "refused-groups", HANDLER_GET, ADMIN_READS, { FILTERS } },
    { "/api/v1/refused/event", "refused-event", HANDLER_GET, ADMIN_READS, { "id" } },
    { "/api/v1/refused/replay", "replay", HANDLER_POST, ADMIN_CHANGES, { NULL } },
    { "/api/v1/refused/discard", "discard", HANDLER_POST, ADMIN_CHANGES, { NULL } },
    { "/api/v1/dead",
      "dead",
      HANDLER_GET,
      ADMIN_READS,
      { "sink", "since", "until", "before", "limit" } },
    { "/api/v1/dead/record", "dead-record", HANDLER_GET, ADMIN_READS, { "id" } },
    { "/api/v1/dead/replay", "revive", HANDLER_POST, ADMIN_CHANGES, { NULL } },
    { "/api/v1/dead/discard", "discard-dead", HANDLER_POST, ADMIN_CHANGES, { NULL } },
    { "/api/v1/sinks/pause", "pause", HANDLER_POST, ADMIN_CHANGES, { NULL } },
    { "/api/v1/sinks/resume", "resume", HANDLER_POST, ADMIN_CHANGES, { NULL } },
    { "/api/v1/explain", CONTROL_EXPLAIN, HANDLER_POST, ADMIN_READS, { NULL } },
};

static const char *const api_headers[] = {
    "Cache-Control", "no-store", "X-Content-Type-Options", "nosniff", NULL,
};

/* A row of the table, for its handler. */
struct binding {
    const struct api *api;
    const struct endpoint *endpoint;
};

struct api {
    const struct admin_guard *guard;
    struct control_jobs *jobs;
    struct binding bindings[API_HANDLERS];
};

static bool admit(void *self, const struct request *request, struct response *response)
{
    const struct binding *binding = self;

    response->headers = api_headers;
    return admin_guard_admit(binding->api->guard, request, binding->endpoint->act, response);
}

/* The query as members of an order. */

static bool is_parameter(const struct endpoint *endpoint, struct str name)
{
    for (size_t i = 0; i < PARAMETERS_MAX && endpoint->parameters[i]; i++)
        if (str_equal(name, str_from_c(endpoint->parameters[i])))
            return true;
    return false;
}

static struct str plus_to_space(struct arena *arena, struct str text)
{
    struct str copy = arena_copy(arena, text);

    for (size_t i = 0; i < copy.len; i++)
        if (copy.ptr[i] == '+')
            ((char *)copy.ptr)[i] = ' ';
    return copy;
}

/* A parameter without a value is left out, so that forms can send empty fields. */
static bool query_members(const struct endpoint *endpoint, const struct request *request,
                          struct buf *out, struct error *err)
{
    struct str query = request->query;

    buf_add_char(out, '{');
    while (query.len > 0) {
        struct str pair = take_until(&query, '&');
        struct str name = take_until(&pair, '=');
        struct str value = uri_decode(request->arena, plus_to_space(request->arena, pair));

        if (pair.len == 0)
            continue;
        if (!is_parameter(endpoint, name))
            return fail(err, ERR_INVALID, "the query has a parameter that is not known");
        if (!utf8_is_valid(value) || memchr(value.ptr, '\0', value.len))
            return fail(err, ERR_INVALID, "%.*s: not a text", STR_ARG(name));
        buf_printf(out, "%s\"%.*s\":", out->len > 1 ? "," : "", STR_ARG(name));
        json_write_string(out, value);
    }
    buf_add_char(out, '}');
    return true;
}

/* Answers. */

static int status_of(enum err_code code)
{
    static const struct {
        enum err_code code;
        int status;
    } statuses[] = {
        { ERR_MALFORMED, 400 },   { ERR_INVALID, 400 },       { ERR_NOT_FOUND, 404 },
        { ERR_UNAVAILABLE, 503 }, { ERR_TOO_EXPENSIVE, 500 },
    };

    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        if (code == statuses[i].code)
            return statuses[i].status;
    return 500;
}

static enum handler_step refuse_with(const struct request *request, const struct error *err,
                                     struct response *response)
{
    response_refuse(response, request->arena, status_of(err->code), err->text);
    response->note.reason = arena_copy(request->arena, str_from_c(err->text));
    if (response->status == 503)
        response->retry_after_seconds = RETRY_AFTER_SECONDS;
    return HANDLER_DONE;
}

/* Members begin with a comma, except for the first. */
static void answer_members(const struct request *request, const struct control_job *job,
                           struct response *response)
{
    struct str members = str_from(buf_str(&job->members), 1);
    char *text = arena_alloc(request->arena, members.len + 2);

    text[0] = '{';
    if (members.len > 0)
        memcpy(text + 1, members.ptr, members.len);
    text[members.len + 1] = '}';
    response->status = 200;
    response->body = (struct str){ text, members.len + 2 };
}

static enum handler_step answer_job(const struct request *request, const struct control_job *job,
                                    struct response *response)
{
    if (job->err.code != ERR_NONE)
        return refuse_with(request, &job->err, response);
    answer_members(request, job, response);
    return HANDLER_DONE;
}

static enum handler_step handle(void *self, struct request *request, struct response *response)
{
    const struct binding *binding = self;
    const struct endpoint *endpoint = binding->endpoint;
    struct buf *query = arena_buf(request->arena, TEXT_MAX);
    struct error err = { 0 };
    struct control_job *job;

    response->headers = api_headers;
    if (endpoint->method == HANDLER_GET && !query_members(endpoint, request, query, &err))
        return refuse_with(request, &err, response);

    const struct control_job_request asked = {
        .name = endpoint->order,
        .text = endpoint->method == HANDLER_GET ? buf_str(query) : request->body,
        .by = admin_guard_proof(binding->api->guard, request),
        .id = request->id,
        .waker = request->waker,
    };

    if (!control_jobs_submit(binding->api->jobs, &asked, &job, &err))
        return refuse_with(request, &err, response);
    arena_own(request->arena, job, control_job_release);
    request->state = job;
    return HANDLER_WAIT;
}

static enum handler_step resume(void *self, struct request *request, struct response *response,
                                enum resume_reason reason)
{
    const struct control_job *job = request->state;

    (void)self;
    response->headers = api_headers;
    if (control_job_is_done(job))
        return answer_job(request, job, response);
    if (reason != HANDLER_EXPIRED)
        return HANDLER_WAIT;
    return refuse_with(request, &(struct error){ ERR_UNAVAILABLE, "deadline" }, response);
}

struct api *api_create(const struct admin_guard *guard, struct control_jobs *jobs)
{
    struct api *api = mem_alloc(sizeof(*api));

    api->guard = guard;
    api->jobs = jobs;
    for (size_t i = 0; i < API_HANDLERS; i++)
        api->bindings[i] = (struct binding){ api, &endpoints[i] };
    return api;
}

void api_destroy(struct api *api)
{
    mem_free(api);
}

void api_handlers(struct api *api, struct handler out[static API_HANDLERS])
{
    for (size_t i = 0; i < API_HANDLERS; i++)
        out[i] = (struct handler){
            .path = endpoints[i].path,
            .method = endpoints[i].method,
            .takes_query = endpoints[i].method == HANDLER_GET,
            .is_quiet = endpoints[i].method == HANDLER_GET,
            .admit = admit,
            .handle = handle,
            .resume = resume,
            .self = &api->bindings[i],
        };
}
