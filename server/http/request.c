/*
 * request.c - see request.h.
 *
 * A refusal waits for the end of the body, which is read and dropped, so that the connection
 * lives on and the sender is sure to see the answer. It is given at once, which ends the
 * connection, when the framing is in doubt, when the sender asked before sending (Expect), and
 * when the body is too long to be worth it. The deadline bounds what is left.
 *
 * What the library refuses by itself when a head is whole is answered here in its place. All else
 * that it refuses (it does so with a page of HTML) passes through http_request_end() alone, and not
 * even there when the first line was not understood.
 */
#include "server/http/request.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/http/head.h"
#include "server/http/loop.h"
#include "server/http/mhd.h"

enum {
    DROP_MAX = 4 * 1024 * 1024, /* a refused body that is longer ends the connection */
    BODY_STEP = 4096,           /* the least that is reserved for a body, unless it is shorter */
    LONG_ANSWER = 16 * 1024,    /* bytes; what is shorter takes no more than its connection does */
    HEAVY_MIN = 8 * 1024,       /* a body from here on may have left much memory behind */
    RETRY_AFTER_SECONDS = 1,
};

/* Headers. */

struct headers {
    struct http_gate gate;
    struct http_head head;
};

/* NOLINTNEXTLINE(readability-function-size): the parameters are the library's choice */
static enum MHD_Result on_header(void *self, enum MHD_ValueKind kind, const char *name,
                                 size_t name_len, const char *value, size_t value_len)
{
    struct headers *headers = self;
    struct str name_text = { name, name_len };
    struct str value_text = { value, value_len };

    (void)kind;
    http_gate_header(&headers->gate, name_text, value_text);
    http_head_header(&headers->head, name_text, value_text);
    return MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are the library's choice */
static enum MHD_Result on_gate_header(void *self, enum MHD_ValueKind kind, const char *name,
                                      size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    http_gate_header(self, (struct str){ name, name_len }, (struct str){ value, value_len });
    return MHD_YES;
}

/* Look at all headers. A head that holds more than the library tells of is malformed. */
static void read_headers(struct MHD_Connection *library, const struct http_line *line,
                         struct headers *headers)
{
    http_head_begin(&headers->head, line);
    (void)MHD_get_connection_values_n(library, MHD_HEADER_KIND, on_header, headers);
    if (http_library_is_strict(http_library_version()))
        return;

    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    if (!info || !http_head_is_whole(&headers->head, line, info->header_size))
        headers->gate.malformed = true;
}

static struct str header(const void *library, const char *name)
{
    const char *value = NULL;
    size_t len = 0;

    /* The library's own parameter is not const, but looking up changes nothing. */
    if (MHD_lookup_connection_value_n((struct MHD_Connection *)library, MHD_HEADER_KIND, name,
                                      strlen(name), &value, &len) != MHD_YES)
        return (struct str){ NULL, 0 };
    /* The library leaves white space behind a value, which is no part of it (RFC 9110, 5.5). */
    return str_trim((struct str){ value ? value : "", len });
}

static struct str known_method(struct str method)
{
    static const struct str known[] = { STR_INIT("POST"), STR_INIT("GET"), STR_INIT("HEAD") };

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_equal(method, known[i]))
            return known[i];
    return STR("other");
}

/* Copied: the library reuses the memory of headers when it fails a request by itself. */
static void identify(struct http_connection *connection, const struct http_gate *gate)
{
    struct http_exchange *ex = &connection->exchange;
    struct str id = str_trim(gate->values[HTTP_REQUEST_ID]);
    struct str trace =
        http_gate_trace_id(gate->values[HTTP_TRACEPARENT], gate->values[HTTP_AMZN_TRACE_ID]);

    if (http_gate_is_id(id))
        memcpy(ex->id, id.ptr, id.len);
    else
        http_id_create(http_loop_ids(connection->loop), ex->id);
    if (trace.ptr && trace.len < sizeof(ex->trace_text)) {
        memcpy(ex->trace_text, trace.ptr, trace.len);
        ex->trace_id = (struct str){ ex->trace_text, trace.len };
    }
}

/* As it is shown in logs and metrics. */
static struct str known_path(const struct http_routes *routes, struct str path)
{
    for (size_t i = 0; i < routes->count; i++)
        if (str_equal(routes->list[i].path, path))
            return routes->list[i].path;
    return STR("other");
}

/* A request that was taken out of its connection. */
struct detached {
    struct request request; /* first; its arena holds all of this */
    struct http *http;
    struct http_served *served;
    struct buf body;
    size_t reserved;
};

static void drop_body(struct request *request)
{
    struct detached *it = (struct detached *)(void *)request;

    buf_done(&it->body);
    http_quota_give(&it->http->bytes, it->reserved);
    it->reserved = 0;
    request->body = STR_NONE;
}

static void release_detached(struct request *request)
{
    struct http_served *served = ((struct detached *)(void *)request)->served;

    drop_body(request);
    arena_destroy(request->arena);
    http_served_give(served); /* what the arena owned may have been of use to its handlers */
}

static struct str no_header(const void *library, const char *name)
{
    (void)library;
    (void)name;
    return STR_NONE;
}

static struct request *detach(struct request *request)
{
    struct http_connection *connection =
        (struct http_connection *)(void *)((char *)request -
                                           offsetof(struct http_connection, exchange.request));
    struct http_exchange *ex = &connection->exchange;
    struct detached *it = arena_alloc(request->arena, sizeof(*it));

    it->request = *request;
    it->request.id = arena_copy(request->arena, request->id);
    it->request.method = arena_copy(request->arena, request->method);
    it->request.path = arena_copy(request->arena, request->path);
    it->request.connection = NULL;
    it->request.header = no_header;
    it->request.detach = NULL;
    it->request.release = release_detached;
    it->request.drop_body = drop_body;
    it->http = http_loop_server(connection->loop);
    it->served = http_served_share(ex->served);
    it->body = ex->body;
    it->reserved = ex->reserved;
    ex->body = (struct buf){ 0 };
    ex->reserved = 0;
    request->body = STR_NONE;
    request->arena = http_loop_take_arena(connection->loop);
    return &it->request;
}

/* What this request may ask for, as it was when its headers came. */
static const struct http_routes *routes_of(const struct http_connection *connection)
{
    return &connection->exchange.served->sites[connection->site->index];
}

static void describe(struct http_connection *connection, const struct MHD_Connection *library,
                     const struct http_gate *gate, const struct http_line *line)
{
    struct http_exchange *ex = &connection->exchange;

    identify(connection, gate);
    ex->method = known_method(line->method);
    ex->request = (struct request){
        .arena = http_loop_take_arena(connection->loop),
        .method = line->method,
        .path = line->path,
        .id = str_from_c(ex->id),
        .deadline_us = ex->started_us + http_loop_server(connection->loop)->options.deadline_us,
        .connection = library,
        .header = header,
        .detach = detach,
    };
}

/* Free the body. */
static void release_body(struct http *http, struct http_exchange *ex)
{
    buf_done(&ex->body);
    http_quota_give(&http->bytes, ex->reserved);
    ex->reserved = 0;
}

/* Give back what the request holds of the limits. */
static void release(struct http *http, struct http_exchange *ex)
{
    release_body(http, ex);
    if (ex->in_flight)
        http_quota_give(&http->in_flight, 1);
    ex->in_flight = false;
    if (ex->entered)
        http_addresses_leave(http->addresses, ex->client);
    ex->entered = false;
}

/* `limit` names the limit of a 429 or 503; else NULL. */
static void refuse(struct http *http, struct http_exchange *ex, int status, const char *limit)
{
    release(http, ex);
    ex->refused = true;
    response_refuse(&ex->response, ex->request.arena, status,
                    status == 415 ? HTTP_TAKEN_BODIES : limit);
    if (!limit)
        return;
    ex->response.retry_after_seconds = RETRY_AFTER_SECONDS;
    ex->response.note.reason = str_from_c(limit);
}

static void refuse_for_memory(struct http *http, struct http_exchange *ex)
{
    atomic_store_explicit(&http->memory_lacked_us, clock_monotonic_us(), memory_order_relaxed);
    refuse(http, ex, 503, "memory for bodies");
}

/* Admission. */

static bool serves(const struct handler *handler, struct str method)
{
    if (handler->method == HANDLER_POST)
        return str_equal(method, STR("POST"));
    return str_equal(method, STR("GET")) || str_equal(method, STR("HEAD"));
}

/* 404, 405 */
static bool find_handler(struct http_connection *connection)
{
    static const char *const allow[] = { NULL, "GET, HEAD", "POST", "GET, HEAD, POST" };
    const struct http_routes *routes = routes_of(connection);
    struct http_exchange *ex = &connection->exchange;
    unsigned others = 0;

    for (size_t i = 0; i < routes->count; i++) {
        const struct http_route *route = &routes->list[i];

        if (!str_equal(route->path, ex->request.path))
            continue;
        if (serves(&route->handler, ex->request.method)) {
            ex->handler = &route->handler;
            return true;
        }
        others |= route->handler.method == HANDLER_POST ? 2 : 1;
    }
    ex->allow = allow[others];
    refuse(http_loop_server(connection->loop), ex, others ? 405 : 404, NULL);
    return false;
}

enum { FORWARDS_MAX = 16 };

struct forwards {
    struct str values[FORWARDS_MAX];
    size_t count;
};

/* NOLINTNEXTLINE(readability-function-size): the parameters are the library's choice */
static enum MHD_Result on_forward(void *self, enum MHD_ValueKind kind, const char *name,
                                  size_t name_len, const char *value, size_t value_len)
{
    struct forwards *forwards = self;

    (void)kind;
    if (!str_equal_ignore_case((struct str){ name, name_len }, STR("X-Forwarded-For")))
        return MHD_YES;
    if (forwards->count == FORWARDS_MAX) { /* the last ones count */
        memmove(forwards->values, forwards->values + 1,
                (FORWARDS_MAX - 1) * sizeof(forwards->values[0]));
        forwards->count--;
    }
    forwards->values[forwards->count++] = (struct str){ value ? value : "", value_len };
    return MHD_YES;
}

/* The client: the peer, or who a trusted proxy says that it asks for. */
static void find_client(struct http_connection *connection)
{
    const struct http *http = http_loop_server(connection->loop);
    struct http_exchange *ex = &connection->exchange;
    struct forwards forwards = { 0 };

    ex->client = connection->address;
    if (connection->proxied) {
        (void)MHD_get_connection_values_n(connection->library, MHD_HEADER_KIND, on_forward,
                                          &forwards);
        ex->client = http_networks_client(&http->options.trusted_proxies, forwards.values,
                                          forwards.count, connection->address);
    }
    ex->request.sender = ex->client.prefix ^ (uint64_t)ex->client.family << 32;
}

/* A proxy brings the requests of many: each client may have as many as others connections. */
static bool enter_client(struct http_connection *connection)
{
    struct http *http = http_loop_server(connection->loop);
    struct http_exchange *ex = &connection->exchange;

    if (!connection->proxied || !http->options.max_connections_per_address)
        return true;
    ex->entered = http_addresses_enter(http->addresses, ex->client);
    return ex->entered;
}

/* 413, 415: is this a body that the handler can take? Answers the status of the refusal, else 0. */
static int judge_body(const struct http *http, const struct http_gate *gate)
{
    if (gate->content_length > http->options.max_body)
        return 413;
    if (!http_gate_takes(gate->values[HTTP_CONTENT_TYPE], gate->values[HTTP_CONTENT_ENCODING]))
        return 415;
    return 0;
}

/* Memory is reserved as the body arrives; but when there is none now, the head is refused. */
static void expect_body(struct http *http, struct http_exchange *ex, const struct http_gate *gate)
{
    size_t max = gate->chunked ? http->options.max_body : (size_t)gate->content_length;

    if (!http_quota_has(&http->bytes, max < BODY_STEP ? max : BODY_STEP)) {
        refuse_for_memory(http, ex);
        return;
    }
    ex->max_body = max;
    buf_init(&ex->body, max);
}

/*
 * Count the request against the limits, whatever else is wrong with it: 0, or the status that says
 * that there are too many.
 */
static int count_request(struct http *http, struct http_exchange *ex)
{
    if (ex->handler && ex->handler->is_probe)
        return 0;
    if (!rate_take(&http->rate, clock_monotonic_us()))
        return 429;
    ex->in_flight = ex->handler && http_quota_take(&http->in_flight, 1);
    return ex->in_flight ? 0 : 503;
}

/* The refusals, in their order; then the body is expected. */
static void judge(struct http_connection *connection, const struct http_gate *gate, int over)
{
    struct http *http = http_loop_server(connection->loop);
    struct http_exchange *ex = &connection->exchange;
    bool has_body = ex->handler->method == HANDLER_POST;
    int status = has_body ? judge_body(http, gate) : 0;

    if (status)
        refuse(http, ex, status, NULL);
    else if (over == 429)
        refuse(http, ex, 429, "rate limit");
    else if (has_body && !enter_client(connection))
        refuse(http, ex, 429, "requests of one address in flight");
    else if (over)
        refuse(http, ex, 503, "requests in flight");
    else if (has_body)
        expect_body(http, ex, gate);
}

static void admit(struct http_connection *connection, const struct http_gate *gate)
{
    struct http *http = http_loop_server(connection->loop);
    struct http_exchange *ex = &connection->exchange;
    bool found = find_handler(connection);
    int over = count_request(http, ex);

    if (!found)
        return;

    const struct handler *handler = ex->handler;

    ex->request.is_over_limit = over != 0;
    if (handler->admit && !handler->admit(handler->self, &ex->request, &ex->response)) {
        release(http, ex);
        ex->refused = true;
        return;
    }
    judge(connection, gate, over);
}

/* Answers. */

static bool add(struct MHD_Response *reply, const char *name, const char *value)
{
    return !value || MHD_add_response_header(reply, name, value) == MHD_YES;
}

static bool add_headers(struct MHD_Response *reply, const struct http_exchange *ex, bool closing)
{
    const struct response *response = &ex->response;
    const char *type = response->content_type;
    const char *retry_after = NULL;

    if (response->retry_after_seconds)
        retry_after = arena_printf(ex->request.arena, "%u", response->retry_after_seconds).ptr;
    return add(reply, "Content-Type", type ? type : "application/json") &&
           add(reply, "X-Request-Id", ex->id) && add(reply, "Allow", ex->allow) &&
           add(reply, "WWW-Authenticate", response->www_authenticate) &&
           add(reply, "Retry-After", retry_after) &&
           add(reply, "Sluice-Duplicate", response->duplicate ? "true" : NULL) &&
           add(reply, "Connection", closing ? "close" : NULL);
}

static bool has_answered(const struct http_exchange *ex)
{
    return ex->stage == HTTP_REPLYING || ex->stage == HTTP_SAID;
}

static struct http_exchange_summary summarize(const struct http_exchange *ex, int status,
                                              int64_t now_us)
{
    bool has_body = has_answered(ex) && !str_equal(ex->method, STR("HEAD"));

    return (struct http_exchange_summary){
        .method = ex->method,
        .path = ex->path,
        .id = ex->id[0] ? str_from_c(ex->id) : STR_NONE,
        .trace_id = ex->trace_id,
        .client = ex->client,
        .status = status,
        .bytes_in = ex->bytes_in,
        .bytes_out = has_body ? ex->response.body.len : 0,
        .duration_us = (ex->answered_us ? ex->answered_us : now_us) - ex->started_us,
        .note = &ex->response.note,
    };
}

/* Once for each request, before its answer leaves: who has read the answer finds it counted. */
static void count(const struct http_options *options, struct http_exchange *ex,
                  const struct http_exchange_summary *summary)
{
    ex->counted = true;
    if (options->answering)
        options->answering(options->self, summary);
}

static struct str *note_texts(struct request_note *note, size_t index)
{
    struct str *const texts[] = { &note->event_id,       &note->outcome, &note->schema,
                                  &note->schema_version, &note->rule,    &note->reason };

    return index < COUNT_OF(texts) ? texts[index] : NULL;
}

/*
 * The body has been used. The answer may take long to leave; of a request that took much memory
 * nothing else is kept meanwhile.
 */
static void shrink(struct http_connection *connection)
{
    struct http_exchange *ex = &connection->exchange;
    struct arena *arena = ex->request.arena;
    struct str *text;

    release_body(http_loop_server(connection->loop), ex);
    if (ex->bytes_in < HEAVY_MIN)
        return;
    ex->request.arena = http_loop_take_arena(connection->loop);
    for (size_t i = 0; (text = note_texts(&ex->response.note, i)); i++)
        if (text->ptr)
            *text = arena_copy(ex->request.arena, *text);
    ex->response.body = arena_copy(ex->request.arena, ex->response.body);
    arena_destroy(arena);
    http_loop_note_heavy(connection->loop);
}

/* Long answers that wait to be taken are counted: loop.c bounds them. */
static void count_untaken(struct http *http, struct http_exchange *ex)
{
    if (ex->response.body.len < LONG_ANSWER)
        return;
    ex->untaken = ex->response.body.len;
    atomic_fetch_add_explicit(&http->untaken, ex->untaken, memory_order_relaxed);
}

/* It has left, or is with the library. */
static void note_answer(struct http_connection *connection, enum http_stage stage)
{
    struct http_exchange *ex = &connection->exchange;
    int64_t now_us = clock_monotonic_us();

    ex->stage = stage;
    ex->answered_us = now_us;
    http_loop_note_time(connection->loop, now_us);

    struct http_exchange_summary summary = summarize(ex, ex->response.status, now_us);

    count(&http_loop_server(connection->loop)->options, ex, &summary);
    count_untaken(http_loop_server(connection->loop), ex);
    http_loop_await_sent(connection, now_us);
}

/* The body is not copied: it lives in the arena, which ends after the library is done with it. */
static enum MHD_Result answer(struct http_connection *connection, struct MHD_Connection *library)
{
    struct http *http = http_loop_server(connection->loop);
    struct http_exchange *ex = &connection->exchange;

    shrink(connection);

    struct str body = ex->response.body;
    bool closing = ex->closing || atomic_load_explicit(&http->draining, memory_order_relaxed);
    struct MHD_Response *reply = MHD_create_response_from_buffer(
        body.len, body.len ? (void *)body.ptr : NULL, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_NO;

    if (!reply)
        return MHD_NO;
    if (add_headers(reply, ex, closing))
        queued = MHD_queue_response(library, (unsigned)ex->response.status, reply);
    MHD_destroy_response(reply);
    if (queued == MHD_YES)
        note_answer(connection, HTTP_REPLYING);
    return queued;
}

/* In the library's place: to where it would send its own. */
static void say(const struct http_connection *connection, struct str text)
{
    const union MHD_ConnectionInfo *tls =
        connection->site->tls
            ? MHD_get_connection_info(connection->library, MHD_CONNECTION_INFO_GNUTLS_SESSION)
            : NULL;

    if (tls)
        http_tls_say(tls->tls_session, text);
    else
        (void)send(connection->fd, text.ptr, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(connection->fd, SHUT_WR); /* the library's own comes to nothing */
}

static struct str answer_text(const struct http_exchange *ex)
{
    const struct response *response = &ex->response;
    struct timespec now;
    struct tm parts;
    char date[32];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    (void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return arena_printf(ex->request.arena,
                        "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\n"
                        "Content-Type: application/json\r\nX-Request-Id: %s\r\n"
                        "Content-Length: %zu\r\n\r\n%.*s",
                        response->status, response_reason(response->status), date, ex->id,
                        response->body.len, STR_ARG(response->body));
}

/* Between its head and the library's own answer to it. */
static bool is_being_judged(const struct http_connection *connection)
{
    const union MHD_ConnectionInfo *head =
        MHD_get_connection_info(connection->library, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return head && head->header_size > 0 &&
           !MHD_get_connection_info(connection->library, MHD_CONNECTION_INFO_HTTP_STATUS);
}

bool http_request_refuse(struct http_connection *connection, int status)
{
    static const struct http_line unknown = { 0 };
    struct http_exchange *ex = &connection->exchange;
    struct http_gate gate = { 0 };

    if (ex->stage != HTTP_LINE_IN || !is_being_judged(connection))
        return false;
    (void)MHD_get_connection_values_n(connection->library, MHD_HEADER_KIND, on_gate_header, &gate);
    describe(connection, connection->library, &gate, &unknown);

    int verdict = http_gate_judge_headers(&gate);

    refuse(http_loop_server(connection->loop), ex, verdict ? verdict : status, NULL);
    say(connection, answer_text(ex));
    note_answer(connection, HTTP_SAID);
    return true;
}

/* The life of a request. */

void *http_request_begin(void *self, const char *target, struct MHD_Connection *library)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_connection *connection = info->socket_context;
    struct http_exchange *ex = &connection->exchange;

    (void)self;
    http_loop_note_progress(connection->loop);
    ex->stage = HTTP_LINE_IN;
    ex->target_len = target ? strlen(target) : 0;
    ex->target_is_sound = target && http_gate_is_target((struct str){ target, ex->target_len });
    if (target)
        http_library_cut_query(target);
    ex->method = STR("other");
    ex->path = STR("other");
    connection->used = true;
    int64_t now_us = clock_monotonic_us();

    http_loop_note_time(connection->loop, now_us);
    ex->started_us = http_loop_await_request(connection, now_us);
    return connection;
}

/* A refusal that does not wait for the body. */
static bool ends_at_once(const struct http_exchange *ex, const struct http_gate *gate)
{
    bool body_follows = gate->chunked || gate->content_length > 0;

    return ex->closing ||
           (body_follows && (gate->values[HTTP_EXPECT].ptr || gate->content_length > DROP_MAX));
}

/*
 * With the lines between chunks and with trailers the library is lenient, too, and tells nothing of
 * them. So what stands behind chunks is not taken for another request: the answer ends the
 * connection.
 */
static enum MHD_Result on_headers(struct http_connection *connection,
                                  struct MHD_Connection *library, struct http_line *line)
{
    struct http_exchange *ex = &connection->exchange;
    struct headers headers = { 0 };
    struct http_gate *gate = &headers.gate;

    ex->stage = HTTP_BODY_IN;
    ex->served = http_served_take(&http_loop_server(connection->loop)->served);
    read_headers(library, line, &headers);
    line->path = http_gate_path(line->path);
    describe(connection, library, gate, line);
    find_client(connection);

    int status =
        ex->target_is_sound
            ? http_gate_judge(gate, line, http_loop_server(connection->loop)->options.max_head)
            : 400;

    ex->path = known_path(routes_of(connection), line->path);
    if (status) {
        ex->closing = true;
        refuse(http_loop_server(connection->loop), ex, status, NULL);
    } else {
        admit(connection, gate);
    }
    if (ex->refused && ends_at_once(ex, gate))
        return answer(connection, library);
    ex->closing = gate->chunked;
    return MHD_YES;
}

/* Room for `more` bytes, and for at most as many again as have come: an announcement is no body. */
static bool make_room(struct http *http, struct http_exchange *ex, size_t more)
{
    size_t needed = ex->body.len + more;
    size_t room = ex->reserved * 2;

    if (needed <= ex->reserved)
        return true;
    if (needed > ex->max_body) {
        refuse(http, ex, 413, NULL);
        return false;
    }
    if (room < BODY_STEP)
        room = BODY_STEP;
    if (room < needed)
        room = needed;
    if (room > ex->max_body)
        room = ex->max_body;
    if (!http_quota_take(&http->bytes, room - ex->reserved)) {
        refuse_for_memory(http, ex);
        return false;
    }
    ex->reserved = room;
    (void)buf_reserve(&ex->body, room - ex->body.len);
    return true;
}

static void take_body(struct http_connection *connection, struct str piece)
{
    struct http_exchange *ex = &connection->exchange;

    ex->bytes_in += piece.len;
    if (ex->refused || ex->handler->method != HANDLER_POST)
        return;
    if (make_room(http_loop_server(connection->loop), ex, piece.len))
        buf_add(&ex->body, piece);
}

static enum handler_step begin_handler(struct http_exchange *ex)
{
    return ex->handler->handle(ex->handler->self, &ex->request, &ex->response);
}

/* Suspended until a waker is used. */
static enum MHD_Result wait_for_news(struct http_connection *connection)
{
    connection->exchange.stage = HTTP_WAITING;
    http_loop_await_news(connection);
    http_loop_note_time(connection->loop, clock_monotonic_us());
    return MHD_YES;
}

/* The request is whole. When this run of the library has taken long, others are served first. */
static enum MHD_Result handle(struct http_connection *connection)
{
    struct http_exchange *ex = &connection->exchange;

    ex->request.body = buf_str(&ex->body);
    if (ex->handler->resume)
        ex->request.waker = http_loop_waker(connection);
    if (ex->handler->resume && !http_loop_has_time(connection->loop, ex->request.body.len)) {
        ex->postponed = true;
        waker_wake(ex->request.waker);
        return wait_for_news(connection);
    }
    if (begin_handler(ex) == HANDLER_DONE)
        return answer(connection, connection->library);
    return wait_for_news(connection);
}

/* It is late before its handler was asked. */
static enum handler_step refuse_postponed(struct http_exchange *ex)
{
    response_refuse(&ex->response, ex->request.arena, 503, "deadline");
    ex->response.retry_after_seconds = RETRY_AFTER_SECONDS;
    return HANDLER_DONE;
}

static enum handler_step go_on(struct http_exchange *ex, enum resume_reason reason)
{
    bool postponed = ex->postponed;

    ex->postponed = false;
    if (!postponed)
        return ex->handler->resume(ex->handler->self, &ex->request, &ex->response, reason);
    return reason == HANDLER_EXPIRED ? refuse_postponed(ex) : begin_handler(ex);
}

bool http_request_go_on(struct http_connection *connection, enum resume_reason reason)
{
    struct http_exchange *ex = &connection->exchange;

    if (go_on(ex, reason) == HANDLER_WAIT) {
        http_loop_note_time(connection->loop, clock_monotonic_us());
        if (reason != HANDLER_EXPIRED)
            return false;
        LOG_EVENT(LOG_ERROR, "handler_waits_beyond_its_deadline", LOG_STR("path", ex->path));
        ex->cut = true;
        return true;
    }
    if (answer(connection, connection->library) != MHD_YES)
        ex->cut = true;
    return true;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are the library's choice */
enum MHD_Result http_request_step(void *self, struct MHD_Connection *library, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state)
{
    struct http_connection *connection = *state;
    struct http_exchange *ex = &connection->exchange;

    (void)self;
    http_loop_note_progress(connection->loop);
    if (ex->stage == HTTP_LINE_IN) {
        struct http_line line = { str_from_c(method), str_from_c(path), str_from_c(version),
                                  ex->target_len };

        return on_headers(connection, library, &line);
    }
    if (*len > 0) {
        take_body(connection, (struct str){ data, *len });
        *len = 0;
        return MHD_YES;
    }
    if (ex->stage == HTTP_WAITING) /* without an answer the library has it back to close it */
        return ex->cut ? MHD_NO : MHD_YES;
    return ex->refused ? answer(connection, library) : handle(connection);
}

static enum http_end how_it_ended(const struct http_exchange *ex, int status,
                                  enum MHD_RequestTerminationCode code)
{
    if (ex->cut)
        return HTTP_LATE;

    /* Its own refusals the library always counts as errors. */
    bool by_library = ex->stage != HTTP_REPLYING; /* or in its place */

    return status && (by_library || code == MHD_REQUEST_TERMINATED_COMPLETED_OK) ? HTTP_ANSWERED
                                                                                 : HTTP_GONE;
}

static void conclude(const struct http_options *options, struct http_exchange *ex,
                     struct http_exchange_summary *summary, enum http_end end)
{
    summary->end = end;
    if (!ex->counted)
        count(options, ex, summary);
    if (options->answered)
        options->answered(options->self, summary);
}

void http_request_end(void *self, struct MHD_Connection *library, void **state,
                      enum MHD_RequestTerminationCode code)
{
    struct http_connection *connection = *state;
    struct http_exchange *ex = &connection->exchange;
    struct http *http = http_loop_server(connection->loop);
    const union MHD_ConnectionInfo *info =
        has_answered(ex) ? NULL : MHD_get_connection_info(library, MHD_CONNECTION_INFO_HTTP_STATUS);
    int status = has_answered(ex) ? ex->response.status : 0;

    (void)self;
    *state = NULL;
    if (info)
        status = (int)info->http_status;

    connection->proved |= ex->stage == HTTP_REPLYING;

    int64_t now_us = clock_monotonic_us();
    struct http_exchange_summary summary = summarize(ex, status, now_us);

    if (status || ex->stage != HTTP_LINE_IN)
        conclude(&http->options, ex, &summary, how_it_ended(ex, status, code));
    if (ex->bytes_in >= HEAVY_MIN)
        http_loop_note_heavy(connection->loop);
    release(http, ex);
    atomic_fetch_sub_explicit(&http->untaken, ex->untaken, memory_order_relaxed);
    http_loop_forget_waker(connection);
    http_loop_give_arena(connection->loop, ex->request.arena);
    http_served_give(ex->served); /* what the arena owned may have been of use to its handlers */
    *ex = (struct http_exchange){ 0 };
    http_loop_await_next(connection, now_us);
}
