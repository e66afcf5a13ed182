/*
 * control.c - see control.h.
 *
 * Orders are short and few, so one thread runs them one after another. Its sockets never block: a
 * client that sends half an order, or does not read an answer, delays no other client.
 *
 * control_use() may replace the target at any moment. Under the mutex, the thread copies the target
 * before each order and each step and records which one it has. It does not hold the mutex while it
 * works, so control_use() never waits for the disk.
 */
#include "server/control.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "server/control_socket.h"
#include "server/resubmit.h"
#include "server/resubmit_registry.h"

enum {
    CLIENTS_MAX = 8,
    ORDER_MAX = 16384,       /* bytes of an order, with its line end */
    ANSWER_MAX = 128 * 1024, /* fits in a socket's buffer */
    ROUND_US = US_PER_S,     /* between two rounds through the refused events */
};

struct client {
    int fd; /* -1: free */
    size_t len;
    char text[ORDER_MAX];
};

struct control {
    struct control_options options; /* its path is `store_path` */
    char *store_path;
    pthread_t thread;
    bool started;
    int socket;
    int stop_event;

    pthread_mutex_t mutex;        /* guards what follows */
    struct control_target target; /* for the next order */
    uint64_t number;              /* of that target; counts the targets */
    uint64_t in_use;              /* number of the target in use; 0: none */

    /* Only for the thread. */
    struct control_target used; /* until release_target() */
    struct outbox_view *view;
    struct resubmitter *resubmitter;
    struct resubmit_registry *rounds;
    int64_t step_begun_us; /* of the step before in this round; 0: none */
    struct client clients[CLIENTS_MAX];
};

/* The target, until release_target(). */
static struct control_target take_target(struct control *control)
{
    (void)pthread_mutex_lock(&control->mutex);

    struct control_target target = control->target;

    control->used = target;
    control->in_use = control->number;
    (void)pthread_mutex_unlock(&control->mutex);
    resubmitter_use(control->resubmitter, target.events);
    return target;
}

static void release_target(struct control *control)
{
    (void)pthread_mutex_lock(&control->mutex);
    control->in_use = 0;
    (void)pthread_mutex_unlock(&control->mutex);
}

/* Orders. */

static bool read_id(struct json_object *order, int64_t *row, struct error *err)
{
    *row = json_find_int64(order, "id");
    return *row > 0 || fail(err, ERR_INVALID, "no id");
}

static bool order_replay(struct control *control, struct json_object *order, struct buf *answer,
                         struct error *err)
{
    struct resubmit_answer result;
    int64_t row = 0;

    if (!read_id(order, &row, err) || !resubmit_refused(control->resubmitter, row, &result, err))
        return false;
    buf_printf(answer, ",\"status\":%d,\"outcome\":\"%s\",\"reason\":", result.status,
               result.outcome);
    json_write_string(answer, str_from_c(result.reason));
    buf_add(answer, STR(",\"rule\":"));
    json_write_string(answer, str_from_c(result.rule));
    return true;
}

typedef bool discard_function(struct outbox *outbox, const int64_t *ids, size_t count, size_t *gone,
                              struct error *err);

static bool discard(const struct control *control, discard_function *run, struct json_object *order,
                    struct buf *answer, struct error *err)
{
    int64_t ids[CONTROL_IDS_MAX];
    struct json_object *list;
    size_t gone = 0;

    if (!json_find(order, "ids", &list) || json_kind(list) != JSON_ARRAY ||
        json_object_array_length(list) > COUNT_OF(ids))
        return fail(err, ERR_INVALID, "no ids, or more than %d", CONTROL_IDS_MAX);

    size_t count = json_object_array_length(list);

    for (size_t i = 0; i < count; i++)
        if (!json_int64(json_object_array_get_idx(list, i), &ids[i]))
            return fail(err, ERR_INVALID, "an id is a number");
    if (!run(control->options.outbox, ids, count, &gone, err))
        return false;
    buf_printf(answer, ",\"gone\":%zu", gone);
    return true;
}

static bool order_discard(struct control *control, struct json_object *order, struct buf *answer,
                          struct error *err)
{
    return discard(control, outbox_discard_refused, order, answer, err);
}

static bool order_discard_dead(struct control *control, struct json_object *order,
                               struct buf *answer, struct error *err)
{
    return discard(control, outbox_discard_dead, order, answer, err);
}

static bool order_revive(struct control *control, struct json_object *order, struct buf *answer,
                         struct error *err)
{
    int64_t row = 0;

    (void)answer;
    return read_id(order, &row, err) && outbox_revive(control->options.outbox, row, err);
}

/* Without "sink": of whichever sink waits for the record. */
static bool order_move(struct control *control, struct json_object *order, struct buf *answer,
                       struct error *err)
{
    const char *name = NULL;
    struct json_object *sink;
    struct json_object *sequence;
    int64_t seq;

    (void)answer;
    if (!json_find(order, "sequence", &sequence) || json_kind(sequence) != JSON_INTEGER ||
        !json_int64(sequence, &seq))
        return fail(err, ERR_INVALID, "no sequence");
    if (json_find(order, "sink", &sink) && json_is_string(sink))
        name = json_str(sink).ptr;
    return outbox_set_aside(control->options.outbox, name, seq, err);
}

static bool read_name(struct json_object *order, const char **out, struct error *err)
{
    struct json_object *name;

    if (!json_find(order, "name", &name) || !json_is_string(name))
        return fail(err, ERR_INVALID, "no name");
    *out = json_str(name).ptr;
    return true;
}

static bool order_drop_sink(struct control *control, struct json_object *order, struct buf *answer,
                            struct error *err)
{
    const char *name = NULL;

    (void)answer;
    return read_name(order, &name, err) && outbox_drop_sink(control->options.outbox, name, err);
}

static bool order_pause(struct control *control, struct json_object *order, struct buf *answer,
                        struct error *err)
{
    const char *name = NULL;

    (void)answer;
    return read_name(order, &name, err) &&
           outbox_pause_sink(control->options.outbox, name, true, err);
}

static bool order_resume(struct control *control, struct json_object *order, struct buf *answer,
                         struct error *err)
{
    const char *name = NULL;

    (void)answer;
    return read_name(order, &name, err) &&
           outbox_pause_sink(control->options.outbox, name, false, err);
}

static bool run_again(struct control *control, struct json_object *order, struct arena *arena,
                      struct buf *answer, struct error *err)
{
    struct json_object *routes;
    struct outbox_replay replay = {
        .sink = arena_copy(arena, json_find_str(order, "sink")).ptr,
        .from_us = json_find_int64(order, "from_us"),
        .until_us = json_find_int64(order, "until_us"),
        .only_routes = json_find_true(order, "only_routes"),
        .dry_run = json_find_true(order, "dry_run"),
        .position = json_find_int64(order, "position"),
        .end = json_find_int64(order, "end"),
    };

    if (!json_find(order, "routes", &routes))
        return fail(err, ERR_INVALID, "no routes");
    replay.routes = json_text(arena, routes).ptr;
    if (!outbox_replay(control->options.outbox, &replay, err))
        return false;
    buf_printf(answer,
               ",\"position\":%" PRId64 ",\"end\":%" PRId64 ",\"count\":%" PRId64
               ",\"done\":%s,\"waits\":%s",
               replay.position, replay.end, replay.count, replay.done ? "true" : "false",
               replay.waits ? "true" : "false");
    return true;
}

static bool order_again(struct control *control, struct json_object *order, struct buf *answer,
                        struct error *err)
{
    struct arena *arena = arena_create();
    bool ok = run_again(control, order, arena, answer, err);

    arena_destroy(arena);
    return ok;
}

/* The target stays in use until the order has been run. */
static bool order_top(struct control *control, struct json_object *order, struct buf *answer,
                      struct error *err)
{
    (void)order;
    (void)err;
    (void)pthread_mutex_lock(&control->mutex);

    const struct metrics *metrics = control->target.metrics;

    (void)pthread_mutex_unlock(&control->mutex);
    buf_add(answer, STR(",\"top\":"));
    metrics_write_state(metrics, answer);
    return true;
}

static bool order_shadow(struct control *control, struct json_object *order, struct buf *answer,
                         struct error *err)
{
    const char *route = "";

    if (!read_name(order, &route, err))
        return false;
    buf_add(answer, STR(",\"shadow\":"));
    return catalog_write_shadow(control->used.catalog, str_from_c(route), answer, err);
}

static bool order_where(struct control *control, struct json_object *order, struct buf *answer,
                        struct error *err)
{
    const struct control_where *where = &control->options.where;

    (void)order;
    (void)err;
    buf_printf(answer, ",\"host\":\"%s\",\"port\":%u,\"tls\":%s", where->host,
               (unsigned)where->port, where->tls ? "true" : "false");
    return true;
}

static bool order_sink(struct control *control, struct json_object *order, struct buf *answer,
                       struct error *err)
{
    const struct control_target *target = &control->used;
    const char *name = "";

    if (!read_name(order, &name, err))
        return false;
    for (size_t i = 0; i < target->pump_count; i++) {
        if (strcmp(pump_name(target->pumps[i]), name) != 0)
            continue;
        buf_printf(answer, ",\"misconfigured\":%s",
                   pump_is_misconfigured(target->pumps[i]) ? "true" : "false");
        return true;
    }
    return fail(err, ERR_NOT_FOUND, "no configured sink has this name");
}

typedef bool order_function(struct control *control, struct json_object *order, struct buf *answer,
                            struct error *err);

static const struct {
    struct str name;
    order_function *run;
} orders[] = {
    { STR_INIT("replay"), order_replay },   { STR_INIT("revive"), order_revive },
    { STR_INIT("discard"), order_discard }, { STR_INIT("discard-dead"), order_discard_dead },
    { STR_INIT("move"), order_move },       { STR_INIT("drop-sink"), order_drop_sink },
    { STR_INIT("pause"), order_pause },     { STR_INIT("resume"), order_resume },
    { STR_INIT("again"), order_again },     { STR_INIT("top"), order_top },
    { STR_INIT("where"), order_where },     { STR_INIT("sink"), order_sink },
    { STR_INIT("shadow"), order_shadow },
};

static bool only_asks(order_function *run)
{
    return run == order_where || run == order_top || run == order_sink || run == order_shadow;
}

/* Who has done what, with the name, id or ids that the order is about. */
static void log_order(const struct client *client, struct json_object *order)
{
    struct arena *arena = arena_create();
    struct json_object *subject;
    struct str about = STR_NONE;

    if ((json_find(order, "id", &subject) || json_find(order, "ids", &subject) ||
         json_find(order, "sequence", &subject)) &&
        !json_is_string(subject))
        about = json_text(arena, subject);
    LOG_EVENT(LOG_INFO, "operator", LOG_STR("order", json_find_str(order, "order")),
              LOG_STR("sink", log_identifier(json_find_str(order, "name"))), LOG_STR("rows", about),
              LOG_INT("uid", control_socket_user(client->fd)));
    arena_destroy(arena);
}

static bool dispatch(struct control *control, const struct client *client, struct str line,
                     struct buf *answer, struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *order = NULL;

    if (!json_read(line, NULL, &order, err))
        return false;
    if (!json_is_object(order))
        return fail(err, ERR_MALFORMED, "an order is an object");

    struct str name = json_find_str(order, "order");

    for (size_t i = 0; i < COUNT_OF(orders); i++)
        if (str_equal(name, orders[i].name)) {
            bool done = orders[i].run(control, order, answer, err);

            if (done && !only_asks(orders[i].run))
                log_order(client, order);
            return done;
        }
    return fail(err, ERR_MALFORMED, "no such order");
}

/* Run the order in `line`, and write the line of its answer. */
static void run_order(struct control *control, const struct client *client, struct str line,
                      struct buf *out)
{
    struct error err = { 0 };

    buf_add(out, STR("{\"ok\":true"));
    (void)take_target(control);

    bool done = dispatch(control, client, line, out, &err);

    release_target(control);
    if (!done) {
        buf_clear(out);
        buf_add(out, STR("{\"ok\":false,\"error\":"));
        json_write_string(out, str_from_c(err.text));
    }
    buf_add(out, STR("}\n"));
}

/* Clients. */

static void client_close(struct client *client)
{
    (void)close(client->fd);
    *client = (struct client){ .fd = -1 };
}

static void accept_client(struct control *control)
{
    int fd = accept4(control->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    for (size_t i = 0; i < CLIENTS_MAX && control_socket_trusts(fd); i++) {
        if (control->clients[i].fd < 0) {
            control->clients[i].fd = fd;
            return;
        }
    }
    (void)close(fd);
}

/* False: the client does not read its answers. */
static bool serve_line(struct control *control, const struct client *client, struct str line)
{
    struct buf out;

    buf_init(&out, ANSWER_MAX);
    run_order(control, client, line, &out);

    bool sent = send(client->fd, out.ptr, out.len, MSG_NOSIGNAL) == (ssize_t)out.len;

    buf_done(&out);
    return sent;
}

/* Run all complete lines that have arrived. False: close the client. */
static bool serve_lines(struct control *control, struct client *client)
{
    char *end;

    while ((end = memchr(client->text, '\n', client->len)) != NULL) {
        struct str line = { client->text, (size_t)(end - client->text) };

        if (!serve_line(control, client, line))
            return false;
        client->len -= line.len + 1;
        memmove(client->text, end + 1, client->len);
    }
    return client->len < sizeof(client->text);
}

static void serve_client(struct control *control, struct client *client)
{
    ssize_t got =
        recv(client->fd, client->text + client->len, sizeof(client->text) - client->len, 0);

    if (got < 0 && errno == EAGAIN)
        return;
    if (got > 0)
        client->len += (size_t)got;
    if (got <= 0 || !serve_lines(control, client))
        client_close(client);
}

/* The thread. */

enum { STOP, SOCKET, CLIENTS };

/* Wait for orders, and run them. False: the thread must end. */
static bool poll_once(struct control *control, int timeout_ms)
{
    struct pollfd events[CLIENTS + CLIENTS_MAX] = {
        [STOP] = { .fd = control->stop_event, .events = POLLIN },
        [SOCKET] = { .fd = control->socket, .events = POLLIN },
    };

    for (size_t i = 0; i < CLIENTS_MAX; i++)
        events[CLIENTS + i] = (struct pollfd){ .fd = control->clients[i].fd, .events = POLLIN };
    (void)poll(events, COUNT_OF(events), timeout_ms);
    if (events[STOP].revents)
        return false;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (events[CLIENTS + i].revents)
            serve_client(control, &control->clients[i]);
    if (events[SOCKET].revents)
        accept_client(control);
    return true;
}

/* Post some events again. Returns when the next step is due. */
static int64_t resubmit_step(struct control *control)
{
    int64_t begun_us = clock_monotonic_us();
    int64_t since_us = control->step_begun_us ? begun_us - control->step_begun_us : 0;
    struct control_target target = take_target(control);
    bool more = resubmit_registry_step(control->rounds, target.catalog,
                                       resubmit_registry_portion(since_us, target.max_batch));

    release_target(control);
    control->step_begun_us = more ? begun_us : 0;
    return more ? begun_us + RESUBMIT_STEP_US : clock_monotonic_us() + ROUND_US;
}

static void *control_run(void *self)
{
    struct control *control = self;
    int64_t due_us = clock_monotonic_us();
    int64_t left_us = 0;

    thread_lower_priority();
    while (poll_once(control, left_us > 0 ? (int)(left_us / US_PER_MS) + 1 : 0)) {
        if (due_us <= clock_monotonic_us())
            due_us = resubmit_step(control);
        left_us = due_us - clock_monotonic_us();
    }
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (control->clients[i].fd >= 0)
            client_close(&control->clients[i]);
    return NULL;
}

static bool open_all(struct control *control, struct error *err)
{
    const struct control_options *options = &control->options;

    if (control->stop_event < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "eventfd");
    if (!outbox_view_open(options->store_path, &control->view, err))
        return false;
    control->resubmitter = resubmitter_create(&(struct resubmitter_options){
        options->target.events, control->view, options->deadline_us });
    control->rounds = resubmit_registry_create(
        &(struct resubmit_registry_options){ control->view, control->resubmitter });
    control->started = control_socket_listen(options->store_path, &control->socket, err) &&
                       thread_start(&control->thread, "control", control_run, control, err);
    return control->started;
}

bool control_start(const struct control_options *options, struct control **out, struct error *err)
{
    struct control *control = mem_alloc(sizeof(*control));

    control->options = *options;
    control->store_path = mem_copy_string(options->store_path);
    control->options.store_path = control->store_path;
    (void)pthread_mutex_init(&control->mutex, NULL);
    control->target = options->target;
    control->number = 1;
    control->socket = -1;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        control->clients[i].fd = -1;
    control->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!open_all(control, err)) {
        control_destroy(control);
        return false;
    }
    *out = control;
    return true;
}

void control_use(struct control *control, const struct control_target *target)
{
    (void)pthread_mutex_lock(&control->mutex);
    control->target = *target;
    control->number++;
    (void)pthread_mutex_unlock(&control->mutex);
}

bool control_lags(struct control *control)
{
    (void)pthread_mutex_lock(&control->mutex);

    bool lags = control->in_use != 0 && control->in_use != control->number;

    (void)pthread_mutex_unlock(&control->mutex);
    return lags;
}

void control_stop(struct control *control)
{
    if (!control || !control->started)
        return;
    outbox_hurry(control->options.outbox);
    resubmitter_end(control->resubmitter);
    (void)eventfd_write(control->stop_event, 1);
    (void)pthread_join(control->thread, NULL);
    control->started = false;
    control_socket_remove(control->options.store_path);
}

void control_destroy(struct control *control)
{
    if (!control)
        return;
    control_stop(control);
    if (control->socket >= 0)
        (void)close(control->socket);
    if (control->stop_event >= 0)
        (void)close(control->stop_event);
    resubmit_registry_destroy(control->rounds);
    outbox_view_close(control->view);
    (void)pthread_mutex_destroy(&control->mutex);
    resubmitter_destroy(control->resubmitter);
    mem_free(control->store_path);
    mem_free(control);
}
