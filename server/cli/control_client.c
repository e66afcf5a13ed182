/*
 * control_client.c - see control_client.h.
 */
#include "server/cli/control_client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/member.h"
#include "base/memory.h"
#include "server/cli/lines.h"
#include "server/control_socket.h"

enum { LINE_MAX_BYTES = 16384, ANSWER_MAX_BYTES = 256 * 1024, WAIT_S = 2 };

struct control_client {
    int fd;
    struct lines answers;
};

struct control_client *control_client_open(const char *store_path)
{
    int fd;

    if (!control_socket_connect(store_path, &fd))
        return NULL;

    struct control_client *client = mem_alloc(sizeof(*client));

    client->fd = fd;
    lines_init(&client->answers, fd, ANSWER_MAX_BYTES);
    return client;
}

void control_client_close(struct control_client *client)
{
    if (!client)
        return;
    lines_done(&client->answers);
    (void)close(client->fd);
    mem_free(client);
}

static bool send_order(const struct control_client *client, const struct buf *order,
                       struct error *err)
{
    struct str left = buf_str(order);

    if (order->overflow)
        return fail(err, ERR_INVALID, "an order of over %d bytes", (int)LINE_MAX_BYTES);
    while (left.len > 0) {
        ssize_t sent = send(client->fd, left.ptr, left.len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return fail_errno(err, ERR_SYSTEM, errno, "the server does not take orders any more");
        left = str_from(left, (size_t)sent);
    }
    return true;
}

static bool receive(struct control_client *client, struct json_object **answer, struct error *err)
{
    struct error why = { 0 };
    struct str line;

    if (!lines_next(&client->answers, &line, &why) || !json_read(line, NULL, answer, &why))
        return fail(err, ERR_SYSTEM, "the server gave no answer; whether it was done is not known");
    return true;
}

static bool fail_not_understood(struct error *err)
{
    return fail(err, ERR_SYSTEM, "the server's answer is not understood");
}

/* Send the order, which is completed and freed here. The caller releases the answer. */
static bool call(struct control_client *client, struct buf *order, struct json_object **out,
                 struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;
    struct json_object *ok;

    buf_add(order, STR("}\n"));

    bool answered = send_order(client, order, err) && receive(client, &answer, err);

    buf_done(order);
    if (!answered)
        return false;
    if (!json_is_object(answer) || !json_find(answer, "ok", &ok))
        return fail_not_understood(err);
    if (!json_object_get_boolean(ok))
        return fail(err, ERR_INVALID, "%.*s", STR_ARG(json_find_str(answer, "error")));
    *out = answer;
    answer = NULL;
    return true;
}

static bool call_for_row(struct control_client *client, const char *name, int64_t id,
                         struct json_object **answer, struct error *err)
{
    struct buf order;

    buf_init(&order, LINE_MAX_BYTES);
    buf_printf(&order, "{\"order\":\"%s\",\"id\":%" PRId64, name, id);
    return call(client, &order, answer, err);
}

bool control_client_replay(struct control_client *client, int64_t id, struct resubmit_answer *out,
                           struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;
    struct json_object *status;
    int64_t number;

    if (!call_for_row(client, "replay", id, &answer, err))
        return false;
    if (!json_find(answer, "status", &status) || !json_int64(status, &number))
        return fail_not_understood(err);
    out->status = (int)number;
    (void)snprintf(out->outcome, sizeof(out->outcome), "%.*s",
                   STR_ARG(json_find_str(answer, "outcome")));
    (void)snprintf(out->reason, sizeof(out->reason), "%.*s",
                   STR_ARG(json_find_str(answer, "reason")));
    (void)snprintf(out->rule, sizeof(out->rule), "%.*s", STR_ARG(json_find_str(answer, "rule")));
    return true;
}

bool control_client_discard(struct control_client *client, bool dead, const struct control_ids *ids,
                            size_t *gone, struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;
    struct json_object *number;
    struct buf order;
    int64_t count;

    buf_init(&order, LINE_MAX_BYTES);
    buf_printf(&order, "{\"order\":\"%s\",\"ids\":[", dead ? "discard-dead" : "discard");
    for (size_t i = 0; i < ids->count; i++)
        buf_printf(&order, "%s%" PRId64, i ? "," : "", ids->list[i]);
    buf_add_char(&order, ']');
    if (!call(client, &order, &answer, err))
        return false;
    if (!json_find(answer, "gone", &number) || !json_int64(number, &count))
        return fail_not_understood(err);
    *gone = (size_t)count;
    return true;
}

bool control_client_revive(struct control_client *client, int64_t id, struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;

    return call_for_row(client, "revive", id, &answer, err);
}

bool control_client_move(struct control_client *client, const char *sink, int64_t seq,
                         struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;
    struct buf order;

    buf_init(&order, LINE_MAX_BYTES);
    buf_printf(&order, "{\"order\":\"move\",\"sequence\":%" PRId64, seq);
    if (sink)
        member_text(&order, "sink", str_from_c(sink));
    return call(client, &order, &answer, err);
}

static bool ask_for_name(struct control_client *client, const char *order, const char *name,
                         struct json_object **answer, struct error *err)
{
    struct buf out;

    buf_init(&out, LINE_MAX_BYTES);
    buf_printf(&out, "{\"order\":\"%s\"", order);
    member_text(&out, "name", str_from_c(name));
    return call(client, &out, answer, err);
}

static bool call_for_name(struct control_client *client, const char *order, const char *name,
                          struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;

    return ask_for_name(client, order, name, &answer, err);
}

bool control_client_drop_sink(struct control_client *client, const char *name, struct error *err)
{
    return call_for_name(client, "drop-sink", name, err);
}

bool control_client_pause(struct control_client *client, const char *name, bool paused,
                          struct error *err)
{
    return call_for_name(client, paused ? "pause" : "resume", name, err);
}

static bool take_number(struct json_object *answer, const char *name, int64_t *out)
{
    struct json_object *value;

    return json_find(answer, name, &value) && json_int64(value, out);
}

static bool take_flag(struct json_object *answer, const char *name, bool *out)
{
    struct json_object *value;
    bool found = json_find(answer, name, &value);

    *out = found && json_object_get_boolean(value);
    return found;
}

static void limit_wait(const struct control_client *client)
{
    const struct timeval timeout = { .tv_sec = WAIT_S };

    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

bool control_client_sink(struct control_client *client, const char *name, bool *misconfigured,
                         struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;

    limit_wait(client);
    return ask_for_name(client, "sink", name, &answer, err) &&
           (take_flag(answer, "misconfigured", misconfigured) || fail_not_understood(err));
}

/* An object of the answer, of which the caller gets its own reference. */
static bool take_object(struct json_object *answer, const char *name, struct json_object **out,
                        struct error *err)
{
    struct json_object *object;

    if (!json_find(answer, name, &object) || !json_is_object(object))
        return fail_not_understood(err);
    *out = json_object_get(object);
    return true;
}

bool control_client_shadow(struct control_client *client, const char *route,
                           struct json_object **out, struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;

    return ask_for_name(client, "shadow", route, &answer, err) &&
           take_object(answer, "shadow", out, err);
}

bool control_client_again(struct control_client *client, struct outbox_replay *replay,
                          struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;
    struct buf order;

    buf_init(&order, LINE_MAX_BYTES);
    buf_add(&order, STR("{\"order\":\"again\""));
    member_text(&order, "sink", str_from_c(replay->sink));
    member_int(&order, "from_us", replay->from_us);
    member_int(&order, "until_us", replay->until_us);
    member_json(&order, "routes", str_from_c(replay->routes));
    member_bool(&order, "only_routes", replay->only_routes);
    member_bool(&order, "dry_run", replay->dry_run);
    member_int(&order, "position", replay->position);
    member_int(&order, "end", replay->end);
    if (!call(client, &order, &answer, err))
        return false;
    if (!take_number(answer, "position", &replay->position) ||
        !take_number(answer, "end", &replay->end) ||
        !take_number(answer, "count", &replay->count) ||
        !take_flag(answer, "done", &replay->done) || !take_flag(answer, "waits", &replay->waits))
        return fail_not_understood(err);
    return true;
}

bool control_client_top(struct control_client *client, struct json_object **out, struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;
    struct buf order;

    buf_init(&order, LINE_MAX_BYTES);
    buf_add(&order, STR("{\"order\":\"top\""));
    return call(client, &order, &answer, err) && take_object(answer, "top", out, err);
}

bool control_client_console(struct control_client *client, struct buf *url, struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;
    struct buf order;

    limit_wait(client);
    buf_init(&order, LINE_MAX_BYTES);
    buf_add(&order, STR("{\"order\":\"console\""));
    if (!call(client, &order, &answer, err))
        return false;
    buf_add(url, json_find_str(answer, "url"));
    return true;
}

bool control_client_where(struct control_client *client, struct control_where *out,
                          struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *answer = NULL;
    struct json_object *tls;
    struct json_object *port;
    struct buf order;
    int64_t number;

    limit_wait(client);
    buf_init(&order, LINE_MAX_BYTES);
    buf_add(&order, STR("{\"order\":\"where\""));
    if (!call(client, &order, &answer, err))
        return false;
    if (!json_find(answer, "port", &port) || !json_int64(port, &number) ||
        !json_find(answer, "tls", &tls))
        return fail_not_understood(err);
    (void)snprintf(out->host, sizeof(out->host), "%.*s", STR_ARG(json_find_str(answer, "host")));
    out->port = (uint16_t)number;
    out->tls = json_object_get_boolean(tls);
    return true;
}
