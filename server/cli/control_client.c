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
    struct json_object *answer; /* the last one; NULL: none */
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
    json_release(client->answer);
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

static bool receive(struct control_client *client, struct error *err)
{
    struct error why = { 0 };
    struct str line;

    json_release(client->answer);
    client->answer = NULL;
    if (!lines_next(&client->answers, &line, &why) || !json_read(line, NULL, &client->answer, &why))
        return fail(err, ERR_SYSTEM, "the server gave no answer; whether it was done is not known");
    return true;
}

static bool fail_not_understood(struct error *err)
{
    return fail(err, ERR_SYSTEM, "the server's answer is not understood");
}

/* An order without its end; call() frees it. */
static struct buf begin(const char *order)
{
    struct buf out;

    buf_init(&out, LINE_MAX_BYTES);
    buf_add_char(&out, '{');
    member_text(&out, "order", str_from_c(order));
    return out;
}

/* Complete the order, send it, and wait for client->answer. */
static bool call(struct control_client *client, struct buf *order, struct error *err)
{
    struct json_object *ok;

    buf_add(order, STR("}\n"));

    bool answered = send_order(client, order, err) && receive(client, err);

    buf_done(order);
    if (!answered)
        return false;
    if (!json_is_object(client->answer) || !json_find(client->answer, "ok", &ok))
        return fail_not_understood(err);
    return json_object_get_boolean(ok) ||
           fail(err, ERR_INVALID, "%.*s", STR_ARG(json_find_str(client->answer, "error")));
}

static bool call_for_row(struct control_client *client, const char *order, int64_t id,
                         struct error *err)
{
    struct buf out = begin(order);

    member_int(&out, "id", id);
    return call(client, &out, err);
}

static bool call_for_name(struct control_client *client, const char *order, const char *name,
                          struct error *err)
{
    struct buf out = begin(order);

    member_text(&out, "name", str_from_c(name));
    return call(client, &out, err);
}

/* Members of the answer. False: it has none such. */

static bool take_int(const struct control_client *client, const char *name, int64_t *out)
{
    struct json_object *value;

    return json_find(client->answer, name, &value) && json_int64(value, out);
}

static bool take_flag(const struct control_client *client, const char *name, bool *out)
{
    struct json_object *value;
    bool found = json_find(client->answer, name, &value);

    *out = found && json_object_get_boolean(value);
    return found;
}

/* The caller gets its own reference. */
static bool take_object(const struct control_client *client, const char *name,
                        struct json_object **out)
{
    struct json_object *object;

    if (!json_find(client->answer, name, &object) || !json_is_object(object))
        return false;
    *out = json_object_get(object);
    return true;
}

static void take_text(const struct control_client *client, const char *name, char *out, size_t size)
{
    (void)snprintf(out, size, "%.*s", STR_ARG(json_find_str(client->answer, name)));
}

/* Orders. */

bool control_client_replay(struct control_client *client, int64_t id, struct resubmit_answer *out,
                           struct error *err)
{
    int64_t status;

    if (!call_for_row(client, "replay", id, err))
        return false;
    if (!take_int(client, "status", &status))
        return fail_not_understood(err);
    out->status = (int)status;
    take_text(client, "outcome", out->outcome, sizeof(out->outcome));
    take_text(client, "reason", out->reason, sizeof(out->reason));
    take_text(client, "rule", out->rule, sizeof(out->rule));
    return true;
}

bool control_client_discard(struct control_client *client, bool dead, const struct control_ids *ids,
                            size_t *gone, struct error *err)
{
    struct buf order = begin(dead ? "discard-dead" : "discard");
    int64_t count;

    member_open(&order, "ids", '[');
    for (size_t i = 0; i < ids->count; i++)
        buf_printf(&order, "%s%" PRId64, i ? "," : "", ids->list[i]);
    buf_add_char(&order, ']');
    if (!call(client, &order, err))
        return false;
    if (!take_int(client, "gone", &count))
        return fail_not_understood(err);
    *gone = (size_t)count;
    return true;
}

bool control_client_revive(struct control_client *client, int64_t id, struct error *err)
{
    return call_for_row(client, "revive", id, err);
}

bool control_client_move(struct control_client *client, const char *sink, int64_t seq,
                         struct error *err)
{
    struct buf order = begin("move");

    member_int(&order, "sequence", seq);
    if (sink)
        member_text(&order, "sink", str_from_c(sink));
    return call(client, &order, err);
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

static void limit_wait(const struct control_client *client)
{
    const struct timeval timeout = { .tv_sec = WAIT_S };

    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

bool control_client_shadow(struct control_client *client, const char *route,
                           struct json_object **out, struct error *err)
{
    return call_for_name(client, "shadow", route, err) &&
           (take_object(client, "shadow", out) || fail_not_understood(err));
}

bool control_client_again(struct control_client *client, struct outbox_replay *replay,
                          struct error *err)
{
    struct buf order = begin("again");

    member_text(&order, "sink", str_from_c(replay->sink));
    member_int(&order, "from_us", replay->from_us);
    member_int(&order, "until_us", replay->until_us);
    member_json(&order, "routes", str_from_c(replay->routes));
    member_bool(&order, "only_routes", replay->only_routes);
    member_bool(&order, "dry_run", replay->dry_run);
    member_int(&order, "position", replay->position);
    member_int(&order, "end", replay->end);
    return call(client, &order, err) &&
           ((take_int(client, "position", &replay->position) &&
             take_int(client, "end", &replay->end) && take_int(client, "count", &replay->count) &&
             take_flag(client, "done", &replay->done) &&
             take_flag(client, "waits", &replay->waits)) ||
            fail_not_understood(err));
}

bool control_client_top(struct control_client *client, struct json_object **out, struct error *err)
{
    struct buf order = begin("top");

    return call(client, &order, err) &&
           (take_object(client, "top", out) || fail_not_understood(err));
}

bool control_client_top_soon(struct control_client *client, struct json_object **out,
                             struct error *err)
{
    limit_wait(client);
    return control_client_top(client, out, err);
}

bool control_client_console(struct control_client *client, struct buf *url, struct error *err)
{
    struct buf order = begin("console");

    limit_wait(client);
    if (!call(client, &order, err))
        return false;
    buf_add(url, json_find_str(client->answer, "url"));
    return true;
}

bool control_client_where(struct control_client *client, struct control_where *out,
                          struct error *err)
{
    struct buf order = begin("where");
    int64_t port;

    limit_wait(client);
    if (!call(client, &order, err))
        return false;
    if (!take_int(client, "port", &port) || !take_flag(client, "tls", &out->tls))
        return fail_not_understood(err);
    take_text(client, "host", out->host, sizeof(out->host));
    out->port = (uint16_t)port;
    return true;
}
