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
#include "base/member.h"
#include "base/memory.h"
#include "base/thread.h"
#include "server/control_socket.h"
#include "server/explain.h"
#include "server/history.h"
#include "server/orders.h"
#include "server/resubmit.h"
#include "server/resubmit_registry.h"
#include "server/service.h"

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
    int64_t step_begun_us;            /* of the step before in this round; 0: none */
    int64_t step_accepted;            /* events that the store had accepted at its end */
    struct resubmitter *trial;        /* stores nothing */
    struct resubmit_registry *rounds; /* NULL: no store */
    struct history *history;          /* NULL: no admin API */
    struct kept_answers *kept;
    int64_t step_us; /* when its next step ends */
    struct client clients[CLIENTS_MAX];
};

/* Checks an event and stores nothing. */
static enum handler_step try_event(void *self, struct request *request, struct response *response)
{
    events_answer(self, request, NULL, response);
    return HANDLER_DONE;
}

/* The target, until release_target(). */
static struct control_target take_target(struct control *control)
{
    (void)pthread_mutex_lock(&control->mutex);

    struct control_target target = control->target;

    control->used = target;
    control->in_use = control->number;
    (void)pthread_mutex_unlock(&control->mutex);
    resubmitter_use(control->resubmitter, target.events);
    if (target.service)
        resubmitter_use(control->trial, (struct handler){ .path = target.events.path,
                                                          .handle = try_event,
                                                          .self = target.service->events });
    return target;
}

static void release_target(struct control *control)
{
    (void)pthread_mutex_lock(&control->mutex);
    control->in_use = 0;
    (void)pthread_mutex_unlock(&control->mutex);
}

/* Orders. */

static struct orders orders_of(const struct control *control)
{
    return (struct orders){
        .outbox = control->options.outbox,
        .view = control->view,
        .resubmitter = control->resubmitter,
        .trial = control->trial,
        .tokens = control->options.tokens,
        .history = control->history,
        .kept = control->kept,
        .where = &control->options.where,
        .target = &control->used,
    };
}

static bool dispatch(const struct control *control, const struct client *client, struct str line,
                     struct buf *answer, struct error *err)
{
    const struct orders orders = orders_of(control);
    CLEANUP(json_cleanup) struct json_object *members = NULL;

    if (!json_read(line, NULL, &members, err))
        return false;
    if (!json_is_object(members))
        return fail(err, ERR_MALFORMED, "an order is an object");

    const struct order order = {
        .name = json_find_str(members, "order"),
        .members = members,
        .uid = control_socket_user(client->fd),
    };

    return orders_run(&orders, &order, answer, err);
}

/* Run the order in `line`, and write the line of its answer. */
static void run_order(struct control *control, const struct client *client, struct str line,
                      struct buf *out)
{
    struct error err = { 0 };

    buf_add(out, STR("{\"ok\":true"));
    (void)take_target(control);

    bool done = dispatch(control, client, line, out, &err) &&
                (!out->overflow || fail(&err, ERR_TOO_EXPENSIVE, "the answer is too long"));

    release_target(control);
    if (!done) {
        buf_clear(out);
        buf_add(out, STR("{\"ok\":false"));
        member_text(out, "error", str_from_c(err.text));
    }
    buf_add(out, STR("}\n"));
}

/* The admin API's orders. */

static void explain_job(const struct control *control, struct control_job *job)
{
    const struct control_target *target = &control->used;
    const struct explain_form form = { .json = true };
    struct buf text;

    if (!target->service) {
        (void)fail(&job->err, ERR_UNAVAILABLE, "there is no service");
        return;
    }
    (void)explain(target->service, target->config, job->text, &form, &text);
    buf_add(&job->members, STR(",\"explanation\":"));
    buf_add(&job->members, str_trim(buf_str(&text)));
    buf_done(&text);
}

static bool run_job_order(const struct control *control, struct control_job *job)
{
    const struct orders orders = orders_of(control);
    CLEANUP(json_cleanup) struct json_object *members = NULL;

    if (!json_read(job->text, NULL, &members, &job->err))
        return false;
    if (!json_is_object(members))
        return fail(&job->err, ERR_MALFORMED, "the body is not an object");

    const struct order order = {
        .name = str_from_c(job->name),
        .members = members,
        .by = job->by,
        .request_id = str_from_c(job->request_id),
        .uid = -1,
    };

    return orders_run(&orders, &order, &job->members, &job->err);
}

/* One at a time: clients of the socket come in between. */
static void run_job(struct control *control)
{
    struct control_job *job = control_jobs_take(control->options.jobs);

    if (!job)
        return;
    (void)take_target(control);
    if (strcmp(job->name, CONTROL_EXPLAIN) == 0)
        explain_job(control, job);
    else if (run_job_order(control, job) && job->members.overflow)
        (void)fail(&job->err, ERR_TOO_EXPENSIVE, "the answer is too long");
    release_target(control);
    control_jobs_finish(job);
}

/* The history, and how the current configuration counts outcomes. */
struct noting {
    struct history *history;
    enum status_map map;
};

static void note_route(void *self, const char *name, const uint64_t outcomes[CONDITION_COUNT])
{
    const struct noting *noting = self;
    struct totals totals = { 0 };

    for (enum condition i = 0; i < CONDITION_COUNT; i++)
        totals_add(&totals, noting->map, i, (int64_t)outcomes[i]);
    history_add_route(noting->history, name, &totals);
}

static void note_sink(void *self, const struct outbox_sink_counters *sink)
{
    const struct noting *noting = self;

    history_add_sink(noting->history, sink);
}

/* End a step of the history when it is due. */
static void note_history(struct control *control)
{
    int64_t now_us = clock_monotonic_us();

    if (!control->history || now_us < control->step_us)
        return;
    control->step_us = now_us - now_us % (HISTORY_STEP_S * US_PER_S) + HISTORY_STEP_S * US_PER_S;

    const struct control_target target = take_target(control);
    struct noting noting = { control->history, target.config->status_map };

    history_begin(control->history);
    metrics_read(target.metrics, &(struct metrics_reader){ note_route, note_sink, &noting });
    history_end(control->history, clock_now_us());
    release_target(control);
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

enum { STOP, SOCKET, JOBS, CLIENTS };

/* Wait for orders, and run them. False: the thread must end. */
static bool poll_once(struct control *control, int timeout_ms)
{
    struct pollfd events[CLIENTS + CLIENTS_MAX] = {
        [STOP] = { .fd = control->stop_event, .events = POLLIN },
        [SOCKET] = { .fd = control->socket, .events = POLLIN },
        [JOBS] = { .fd = control->options.jobs ? control_jobs_event(control->options.jobs) : -1,
                   .events = POLLIN },
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
    if (events[JOBS].revents)
        run_job(control);
    note_history(control);
    return true;
}

static int64_t count_accepted(struct control *control)
{
    struct outbox_counters counters;

    outbox_counters(control->options.outbox, &counters);
    return counters.accepted;
}

/* Post some events again. Returns when the next step is due. */
static int64_t resubmit_step(struct control *control)
{
    if (!control->rounds)
        return clock_monotonic_us() + ROUND_US;

    int64_t begun_us = clock_monotonic_us();
    int64_t since_us = control->step_begun_us ? begun_us - control->step_begun_us : 0;
    bool beside_senders = count_accepted(control) != control->step_accepted;
    struct control_target target = take_target(control);
    size_t most = resubmit_registry_portion(since_us, beside_senders, target.max_batch);
    bool more = resubmit_registry_step(control->rounds, target.catalog, most);

    release_target(control);
    control->step_accepted = count_accepted(control);
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
    if (*options->store_path && !outbox_view_open(options->store_path, &control->view, err))
        return false;
    control->resubmitter = resubmitter_create(&(struct resubmitter_options){
        options->target.events, control->view, options->deadline_us });
    control->trial = resubmitter_create(&(struct resubmitter_options){
        options->target.events, control->view, options->deadline_us });
    if (control->view)
        control->rounds = resubmit_registry_create(
            &(struct resubmit_registry_options){ control->view, control->resubmitter });
    if (options->jobs)
        control->history = history_create();
    control->started = (!*options->store_path ||
                        control_socket_listen(options->store_path, &control->socket, err)) &&
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
    control->kept = kept_answers_create();
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
    if (control->options.outbox)
        outbox_hurry(control->options.outbox);
    resubmitter_end(control->resubmitter);
    resubmitter_end(control->trial);
    (void)eventfd_write(control->stop_event, 1);
    (void)pthread_join(control->thread, NULL);
    control->started = false;
    if (control->options.jobs)
        control_jobs_close(control->options.jobs);
    if (*control->store_path)
        control_socket_remove(control->store_path);
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
    resubmitter_destroy(control->trial);
    history_destroy(control->history);
    kept_answers_destroy(control->kept);
    mem_free(control->store_path);
    mem_free(control);
}
