/*
 * test_control.c - claims about server/control.h and its client, over a real socket beside a real
 * store; a stub stands for POST /events.
 */
#include "server/control.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "handlers/health.h"
#include "server/cli/control_client.h"
#include "server/control_socket.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { DEADLINE_US = 20 * 1000 * 1000, CLIENTS = 12, ANSWER_SIZE = 20000 };

/* Accepts what is not "bad". */
static enum handler_step handle(void *self, struct request *request, struct response *response)
{
    atomic_int *calls = self;
    bool bad = str_equal(request->body, STR("{\"bad\":1}"));

    atomic_fetch_add(calls, 1);
    response->status = bad ? 400 : 200;
    response->note.outcome = bad ? STR("schema_invalid") : STR("valid");
    return HANDLER_DONE;
}

static bool is_set(void *flag)
{
    return atomic_load((atomic_bool *)flag);
}

typedef enum handler_step handler_function(void *self, struct request *request,
                                           struct response *response);

struct setting {
    struct store store;
    struct catalog *catalog;
    struct control *control;
    atomic_int calls;
};

static struct control_target target_of(const struct setting *setting, handler_function *function,
                                       void *self)
{
    return (struct control_target){
        .catalog = setting->catalog,
        .events = { .path = "/events", .method = HANDLER_POST, .handle = function, .self = self },
        .max_batch = 10,
    };
}

static void begin(struct setting *setting)
{
    struct error err = { 0 };

    *setting = (struct setting){ 0 };
    store_init(&setting->store);
    store_open(&setting->store);
    setting->catalog = catalog_create(
        &(struct catalog_options){ .registry = registry_file("none"), .refresh_us = 1000000 });
    CHECK(control_start(
        &(struct control_options){
            .store_path = setting->store.path,
            .outbox = setting->store.outbox,
            .target = target_of(setting, handle, &setting->calls),
            .deadline_us = DEADLINE_US,
        },
        &setting->control, &err));
}

static void end(struct setting *setting)
{
    control_stop(setting->control);
    store_close(&setting->store);
    control_destroy(setting->control);
    catalog_destroy(setting->catalog);
    store_done(&setting->store);
}

static void refuse(struct setting *setting, const char *id, const char *raw)
{
    struct outbox_event event = store_refusal(id, raw);

    CHECK_INT((int64_t)store_submit(&setting->store, &event).verdict, OUTBOX_QUARANTINED);
}

static void replays_what_was_refused(void)
{
    struct setting setting;
    struct resubmit_answer answer;
    struct error err = { 0 };

    begin(&setting);
    refuse(&setting, "a", "{\"good\":1}");
    refuse(&setting, "b", "{\"bad\":1}");

    struct control_client *client = control_client_open(setting.store.path);

    CHECK(client != NULL);
    CHECK(control_client_replay(client, 1, &answer, &err));
    CHECK_INT(answer.status, 200);
    CHECK_STR(str_from_c(answer.outcome), "valid");
    CHECK(control_client_replay(client, 2, &answer, &err));
    CHECK_INT(answer.status, 400);
    CHECK_STR(str_from_c(answer.outcome), "schema_invalid");
    CHECK(!control_client_replay(client, 3, &answer, &err));
    CHECK_INT((int64_t)err.code, ERR_INVALID);
    CHECK_STR(str_from_c(err.text), "no refused event 3");
    CHECK_INT(setting.calls, 2);
    control_client_close(client);
    end(&setting);
}

static void passes_on_the_errors_of_the_store(void)
{
    struct setting setting;
    struct error err = { 0 };

    begin(&setting);

    struct control_client *client = control_client_open(setting.store.path);

    CHECK(!control_client_revive(client, 7, &err));
    CHECK_INT((int64_t)err.code, ERR_INVALID);
    CHECK(err.text[0] != '\0');
    err = (struct error){ 0 };
    CHECK(!control_client_drop_sink(client, "no \"such\" sink", &err));
    CHECK_INT((int64_t)err.code, ERR_INVALID);
    CHECK_STR(str_from_c(err.text), "the store has no sink no \"such\" sink");
    control_client_close(client);
    end(&setting);
}

static void drops_a_sink_that_is_gone(void)
{
    static const char *const names[] = { "old" };
    struct setting setting;
    struct error err = { 0 };

    begin(&setting);
    end(&setting);

    struct store store;
    struct control *control;
    struct catalog *catalog = catalog_create(
        &(struct catalog_options){ .registry = registry_file("none"), .refresh_us = 1000000 });

    store_init(&store);
    store.options.sinks = names;
    store.options.sink_count = 1;
    store_open(&store);
    store_fill(&store, "x", 3);
    store_close(&store);
    store.options.sink_count = 0;
    store_open(&store);
    CHECK(control_start(&(struct control_options){ .store_path = store.path,
                                                   .outbox = store.outbox,
                                                   .target = { .catalog = catalog },
                                                   .deadline_us = DEADLINE_US },
                        &control, &err));

    struct control_client *client = control_client_open(store.path);

    CHECK(control_client_drop_sink(client, "old", &err));
    CHECK(!control_client_drop_sink(client, "old", &err));
    control_client_close(client);
    control_stop(control);
    store_close(&store);
    control_destroy(control);
    catalog_destroy(catalog);
    store_done(&store);
}

/* An order that hangs like a disk. */
struct stalled {
    atomic_bool begun;
    atomic_bool released;
    atomic_int answered;
};

static enum handler_step stall(void *self, struct request *request, struct response *response)
{
    struct stalled *stalled = self;

    (void)request;
    atomic_store(&stalled->begun, true);
    (void)wait_until(is_set, &stalled->released);
    response->status = 200;
    response->note.outcome = STR("valid");
    return HANDLER_DONE;
}

static void *order_replay(void *self)
{
    struct setting *setting = self;
    struct control_client *client = control_client_open(setting->store.path);
    struct resubmit_answer answer = { 0 };
    struct error err = { 0 };

    CHECK(control_client_replay(client, 1, &answer, &err));
    CHECK_INT(answer.status, 200);
    control_client_close(client);
    return NULL;
}

static bool has_caught_up(void *self)
{
    struct setting *setting = self;

    return !control_lags(setting->control);
}

/* control_use() takes no lock that an order holds across I/O. */
static void control_use_does_not_wait_for_an_order(void)
{
    struct stalled stalled = { 0 };
    struct setting setting;
    pthread_t client;

    begin(&setting);
    refuse(&setting, "a", "{\"good\":1}");

    const struct control_target stalling = target_of(&setting, stall, &stalled);
    const struct control_target next = target_of(&setting, handle, &setting.calls);

    control_use(setting.control, &stalling);
    CHECK(!control_lags(setting.control));
    CHECK(pthread_create(&client, NULL, order_replay, &setting) == 0);
    CHECK(wait_until(is_set, &stalled.begun));
    control_use(setting.control, &next);
    CHECK(control_lags(setting.control)); /* `stall` still runs */
    CHECK_INT(setting.calls, 0);
    atomic_store(&stalled.released, true);
    (void)pthread_join(client, NULL);
    CHECK(wait_until(has_caught_up, &setting));
    end(&setting);
}

/* Send the bytes. Returns the first answer line; "" when the server closes instead. */
static void talk(int fd, struct str bytes, char answer[static ANSWER_SIZE])
{
    size_t len = 0;

    CHECK(send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL) == (ssize_t)bytes.len);
    while (len + 1 < ANSWER_SIZE && recv(fd, answer + len, 1, 0) == 1 && answer[len] != '\n')
        len++;
    answer[len] = '\0';
}

static void refuses_lines_that_are_no_orders(void)
{
    static const struct {
        const char *line;
        const char *answer;
    } cases[] = {
        { "\n", "{\"ok\":false,\"error\":\"at byte 0: " },
        { "[]\n", "{\"ok\":false,\"error\":\"an order is an object\"}" },
        { "{}\n", "{\"ok\":false,\"error\":\"no such order\"}" },
        { "{\"order\":\"replay\"}\n", "{\"ok\":false,\"error\":\"no id\"}" },
        { "{\"order\":\"replay\",\"id\":\"1\"}\n", "{\"ok\":false,\"error\":\"no id\"}" },
        { "{\"order\":\"replay\",\"id\":0}\n", "{\"ok\":false,\"error\":\"no id\"}" },
        { "{\"order\":\"replay\",\"id\":-1}\n", "{\"ok\":false,\"error\":\"no id\"}" },
        { "{\"order\":\"revive\",\"id\":1.5}\n", "{\"ok\":false,\"error\":\"no id\"}" },
        { "{\"order\":\"drop-sink\"}\n", "{\"ok\":false,\"error\":\"no name\"}" },
        { "{\"order\":\"stop\",\"id\":1}\n", "{\"ok\":false,\"error\":\"no such order\"}" },
        { "\xff\n", "{\"ok\":false,\"error\":\"at byte 0: " },
    };
    struct setting setting;
    char answer[ANSWER_SIZE];
    int fd;

    begin(&setting);
    CHECK(control_socket_connect(setting.store.path, &fd));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].line);
        talk(fd, str_from_c(cases[i].line), answer);
        CHECK(str_starts_with(str_from_c(answer), str_from_c(cases[i].answer)));
    }
    TEST_CASE("in pieces");
    CHECK(send(fd, "{\"order\":", 9, MSG_NOSIGNAL) == 9);
    talk(fd, STR("\"stop\"}\n"), answer);
    CHECK_STR(str_from_c(answer), "{\"ok\":false,\"error\":\"no such order\"}");
    TEST_CASE("without end");
    memset(answer, ' ', sizeof(answer));
    talk(fd, (struct str){ answer, sizeof(answer) }, answer);
    CHECK_STR(str_from_c(answer), "");
    (void)close(fd);
    CHECK_INT(setting.calls, 0);
    end(&setting);
}

static enum handler_step accept_slowly(void *self, struct request *request,
                                       struct response *response)
{
    (void)usleep(300 * 1000);
    return handle(self, request, response);
}

/* Its answer says how many rows are left. */
static void an_order_of_many_rows_takes_about_a_second(void)
{
    struct setting setting;
    char answer[ANSWER_SIZE];
    const char *left;
    int fd;

    begin(&setting);

    const struct control_target slow = target_of(&setting, accept_slowly, &setting.calls);

    control_use(setting.control, &slow);
    refuse(&setting, "a", "{\"good\":1}");
    CHECK(control_socket_connect(setting.store.path, &fd));
    talk(fd, STR("{\"order\":\"replay\",\"ids\":[1,1,1,1,1,1,1,1]}\n"), answer);
    left = strstr(answer, "\"left\":");
    CHECK(setting.calls >= 1 && setting.calls <= 4);
    CHECK(left && strtol(left + strlen("\"left\":"), NULL, 10) == 8 - setting.calls);
    CHECK(str_starts_with(str_from_c(answer), STR("{\"ok\":true,\"results\":[{\"id\":1,")));
    (void)close(fd);
    end(&setting);
}

struct asking {
    const char *path;
};

static bool can_ask(void *self)
{
    const struct asking *asking = self;
    struct control_client *client = control_client_open(asking->path);
    struct resubmit_answer answer;
    struct error err = { 0 };
    bool refused = client && !control_client_replay(client, 1, &answer, &err);

    control_client_close(client);
    return refused && err.code == ERR_INVALID;
}

static void idle_clients_do_not_keep_others_out(void)
{
    struct setting setting;
    int fds[CLIENTS];

    begin(&setting);
    for (size_t i = 0; i < CLIENTS; i++)
        CHECK(control_socket_connect(setting.store.path, &fds[i]));
    for (size_t i = 0; i < CLIENTS; i++)
        (void)close(fds[i]);
    CHECK(wait_until(can_ask, &(struct asking){ setting.store.path }));
    end(&setting);
}

static void the_socket_exists_while_the_server_runs(void)
{
    struct setting setting;
    struct stat info;
    char path[FOLDER_PATH_SIZE];
    int fd;

    begin(&setting);
    (void)snprintf(path, sizeof(path), "%.240s.control", setting.store.path);
    CHECK(stat(path, &info) == 0);
    CHECK_INT(info.st_mode & 0777, 0600);
    CHECK(S_ISSOCK(info.st_mode));
    control_stop(setting.control);
    CHECK(stat(path, &info) != 0);
    CHECK(!control_socket_connect(setting.store.path, &fd));
    CHECK(control_client_open(setting.store.path) == NULL);
    end(&setting);
}

static size_t none(void *self)
{
    (void)self;
    return 0;
}

/* There are so many routes that `top` does not fit into a socket's buffer. */
static void an_answer_that_is_too_long_is_an_error(void)
{
    enum { ROUTES = 3000, NAME = 40 };
    static char texts[ROUTES][NAME];
    const char *names[ROUTES];
    struct setting setting;
    struct json_object *state = NULL;
    struct error err = { 0 };

    for (size_t i = 0; i < ROUTES; i++) {
        (void)snprintf(texts[i], NAME, "a-route-with-a-name-of-some-length-%04zu", i);
        names[i] = texts[i];
    }
    begin(&setting);

    struct health *health = health_create(setting.catalog, NULL, "1");
    struct metrics *metrics = metrics_create(&(struct metrics_options){
        .version = "1",
        .catalog = setting.catalog,
        .health = health,
        .connections = none,
        .inflight_bytes = none,
        .route_names = names,
        .route_count = ROUTES,
    });
    struct control_target target = target_of(&setting, handle, &setting.calls);
    struct control_client *client = control_client_open(setting.store.path);

    target.metrics = metrics;
    control_use(setting.control, &target);
    CHECK(!control_client_top(client, &state, &err));
    CHECK_STR(str_from_c(err.text), "the answer is too long");
    control_client_close(client);
    end(&setting);
    metrics_destroy(metrics);
    health_destroy(health);
}

int main(void)
{
    RUN(replays_what_was_refused);
    RUN(passes_on_the_errors_of_the_store);
    RUN(drops_a_sink_that_is_gone);
    RUN(control_use_does_not_wait_for_an_order);
    RUN(refuses_lines_that_are_no_orders);
    RUN(an_order_of_many_rows_takes_about_a_second);
    RUN(idle_clients_do_not_keep_others_out);
    RUN(an_answer_that_is_too_long_is_an_error);
    RUN(the_socket_exists_while_the_server_runs);
    return test_end();
}
