/*
 * test_life.c - connections and threads: many at once, deadlines, limits, the end.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/clock.h"
#include "server/http/http.h"
#include "server/http/http_internal.h"
#include "tests/unit/http_client.h"
#include "tests/unit/http_toy.h"
#include "tests/unit/test.h"

#define ALIVE "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
#define HELD  "POST /held HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"

enum { MANY = 512, SHORT_US = 150 * 1000, LONG_US = 20 * 1000 * 1000 };

static size_t open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    while (folder && readdir(folder)) /* NOLINT(concurrency-mt-unsafe): the folder is ours */
        count++;
    if (folder)
        (void)closedir(folder);
    return count;
}

static bool answers(int fd, int status)
{
    struct http_answer answer;

    return http_client_read(fd, &answer) && answer.status == status;
}

static bool asks(int fd)
{
    return http_client_send(fd, STR(ALIVE)) && answers(fd, 200);
}

/* All connections are idle, then all ask, then all are answered without a further event. */
static size_t answered_at_once(struct http_toy *toy, size_t count)
{
    int fds[MANY];
    size_t answered = 0;

    for (size_t i = 0; i < count; i++)
        fds[i] = http_client_open(toy->port);
    if (!http_toy_await_connections(toy, count))
        return 0;
    for (size_t i = 0; i < count; i++)
        (void)http_client_send(fds[i], STR(ALIVE));
    for (size_t i = 0; i < count; i++)
        answered += answers(fds[i], 200) ? 1 : 0;
    for (size_t i = 0; i < count; i++)
        http_client_close(fds[i]);
    return http_toy_await_connections(toy, 0) ? answered : 0;
}

/* Requests between headers and answer, except probes. */
static size_t in_flight(const struct http_toy *toy)
{
    return atomic_load(&toy->http->in_flight.used);
}

static void answers_any_number_at_once(void)
{
    static const size_t counts[] = { 1, 127, 128, 129, 256, MANY };
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        CHECK_INT((int64_t)answered_at_once(&toy, counts[i]), (int64_t)counts[i]);
    http_toy_stop(&toy);
}

static void spreads_connections_evenly(void)
{
    enum { LOOPS = 4, EACH = 16, ALL = LOOPS * EACH };
    struct http_options options = http_toy_options();
    struct http_toy toy;

    options.threads = LOOPS;
    http_toy_start(&toy, options);
    CHECK_INT((int64_t)answered_at_once(&toy, ALL), ALL);
    for (size_t i = 0; i < LOOPS; i++)
        CHECK_INT((int64_t)toy.by_loop[i], EACH);
    http_toy_stop(&toy);
}

static void cuts_late_connections(void)
{
    static const struct {
        const char *name;
        const char *request;
        bool idle; /* short is the idle time-out, not the deadline */
        size_t reports;
    } cases[] = {
        { "nothing comes", "", true, 0 },
        { "half a line", "POST /ec", false, 0 },
        { "one byte", "P", false, 0 },
        { "an empty line", "\r\n", false, 0 },
        { "nothing more comes", ALIVE, true, 1 },
        { "half the headers", "POST /echo HTTP/1.1\r\nHost: h\r\nConte", false, 0 },
        { "no body", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n", false, 1 },
        { "half a body", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", false,
          1 },
        { "half a chunk",
          "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", false,
          1 },
        { "half a refused body",
          "POST /nothing HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", false, 1 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_options options = http_toy_options();
        struct http_toy toy;
        struct http_answer answer;

        TEST_CASE(cases[i].name);
        options.deadline_us = cases[i].idle ? LONG_US : SHORT_US;
        options.idle_timeout_us = cases[i].idle ? SHORT_US : LONG_US;
        http_toy_start(&toy, options);

        int64_t start_us = clock_monotonic_us();
        int fd = http_client_open(toy.port);

        CHECK(http_client_send(fd, str_from_c(cases[i].request)));
        if (cases[i].idle && cases[i].reports)
            CHECK(http_client_read(fd, &answer));
        CHECK(http_client_is_closed(fd));
        CHECK(clock_monotonic_us() - start_us >= SHORT_US);
        CHECK(clock_monotonic_us() - start_us < LONG_US / 2);
        CHECK(http_toy_await_connections(&toy, 0));
        if (!cases[i].idle && cases[i].reports) {
            struct http_toy_report report = http_toy_await(&toy, cases[i].reports);

            CHECK_INT((int64_t)report.end, (int64_t)HTTP_LATE);
            CHECK_INT(report.status, 0);
        }
        CHECK_INT((int64_t)toy.reports, (int64_t)cases[i].reports);
        CHECK_INT((int64_t)in_flight(&toy), 0);
        http_client_close(fd);
        http_toy_stop(&toy);
    }
}

/* Request and end of stream in one packet: the answer comes, and the connection ends with it. */
static void closes_when_the_client_has_ended_the_stream(void)
{
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());
    for (int i = 0; i < 20; i++) {
        int fd = http_client_open(toy.port);

        CHECK(http_client_send_last(fd, STR(ALIVE)));
        CHECK(answers(fd, 200));
        CHECK(http_client_is_closed(fd));
        http_client_close(fd);
    }
    CHECK(http_toy_await_connections(&toy, 0));
    http_toy_stop(&toy);
}

/* A byte now and then must not keep a request alive: the deadline is total. */
static void a_trickle_does_not_move_the_deadline(void)
{
    struct http_options options = http_toy_options();
    struct http_toy toy;
    int64_t start_us = clock_monotonic_us();

    options.deadline_us = SHORT_US;
    http_toy_start(&toy, options);

    int fd = http_client_open(toy.port);

    CHECK(http_client_send(fd, STR("POST /nothing HTTP/1.1\r\nHost: h\r\n"
                                   "Content-Length: 4000000\r\n\r\n")));
    while (http_client_is_quiet(fd) && http_client_send(fd, STR("x")))
        if (clock_monotonic_us() - start_us > LONG_US / 2)
            break;
    CHECK(clock_monotonic_us() - start_us < LONG_US / 2);
    CHECK(http_toy_await_connections(&toy, 0));
    http_client_close(fd);
    http_toy_stop(&toy);
}

static void forgets_clients_that_leave(void)
{
    struct http_options options = http_toy_options();
    struct http_toy toy;

    options.max_in_flight = 1;
    options.max_inflight_bytes = 4000;
    http_toy_start(&toy, options);
    for (size_t i = 1; i <= 4; i++) {
        struct http_answer answer = { 0 };
        int fd = http_client_open(toy.port);

        CHECK(http_client_send(fd, STR("POST /echo HTTP/1.1\r\nHost: h\r\n"
                                       "Expect: 100-continue\r\nContent-Length: 4000\r\n\r\n")));
        CHECK(http_client_read_head(fd, &answer));
        CHECK_INT(answer.status, 100);
        CHECK_INT((int64_t)in_flight(&toy), 1);
        if (i % 2)
            http_client_close(fd);
        else
            http_client_reset(fd, STR("half"));

        struct http_toy_report report = http_toy_await(&toy, i);

        CHECK_INT((int64_t)report.end, (int64_t)HTTP_GONE);
        CHECK_INT(report.status, 0);
        CHECK(http_toy_await_connections(&toy, 0));
        CHECK_INT((int64_t)in_flight(&toy), 0);
    }
    CHECK_INT((int64_t)toy.handled, 0);
    http_toy_stop(&toy);
}

/* The first one waits for the rest of its body and holds what the second one asks for. */
static void refuses_requests_beyond_its_limits(void)
{
    static const struct {
        const char *name;
        size_t in_flight;
        size_t bytes;
        const char *second;
        bool closes; /* its connection, in any case */
        const char *reason;
    } cases[] = {
        { "requests", 1, 1 << 20, "Content-Length: 2\r\n\r\n{}", false, "requests in flight" },
        { "bytes", 0, 4000, "Content-Length: 1\r\n\r\n1", false, "memory for bodies" },
        { "bytes of chunks", 0, 5000, "Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n", true,
          "memory for bodies" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_options options = http_toy_options();
        struct http_answer answer = { 0 };
        struct http_toy toy;

        TEST_CASE(cases[i].name);
        options.max_in_flight = cases[i].in_flight;
        options.max_inflight_bytes = cases[i].bytes;
        http_toy_start(&toy, options);

        int first = http_client_open(toy.port);
        int second = http_client_open(toy.port);

        CHECK(http_client_send(first, STR("POST /echo HTTP/1.1\r\nHost: h\r\n"
                                          "Expect: 100-continue\r\nContent-Length: 4000\r\n\r\n")));
        CHECK(http_client_read_head(first, &answer)); /* 100: it is admitted */
        CHECK(!cases[i].in_flight || in_flight(&toy) == 1);
        CHECK(http_client_send(first, STR("1")));
        CHECK(http_toy_await_bytes(&toy, 4000));
        CHECK(http_client_send(second, STR("POST /echo HTTP/1.1\r\nHost: h\r\n")));
        CHECK(http_client_send(second, str_from_c(cases[i].second)));
        CHECK(http_client_read(second, &answer));
        CHECK_INT(answer.status, 503);
        CHECK_STR(http_answer_header(&answer, "Retry-After"), "1");
        CHECK_STR(http_answer_body(&answer),
                  arena_printf(arena, "{\"error\":\"Service Unavailable\",\"details\":\"%s\"}",
                               cases[i].reason)
                      .ptr);
        CHECK(http_lacks_memory(toy.http) == !cases[i].in_flight);
        if (cases[i].closes) {
            http_client_close(second);
            second = http_client_open(toy.port);
        }
        CHECK(asks(second)); /* what has no body is not held back */
        http_client_close(first);
        (void)http_toy_await(&toy, 3);
        CHECK(http_client_send(second, STR("POST /echo HTTP/1.1\r\nHost: h\r\n")));
        CHECK(http_client_send(second, str_from_c(cases[i].second)));
        CHECK(answers(second, 200));
        http_client_close(second);
        http_toy_stop(&toy);
    }
    arena_destroy(arena);
}

/* A request that announces a long body and sends at most a byte takes no memory from others. */
static void an_announcement_takes_no_memory(void)
{
    enum { ANNOUNCERS = 100, STEP = 4096 };
    struct http_options options = http_toy_options();
    struct http_answer answer = { 0 };
    struct http_toy toy;
    int fds[ANNOUNCERS];

    options.max_inflight_bytes = (size_t)STEP * (ANNOUNCERS / 2 + 1);
    http_toy_start(&toy, options);
    for (size_t i = 0; i < ANNOUNCERS; i++) {
        fds[i] = http_client_open(toy.port);
        CHECK(
            http_client_send(fds[i], STR("POST /echo HTTP/1.1\r\nHost: h\r\n"
                                         "Expect: 100-continue\r\nContent-Length: 8000\r\n\r\n")));
        CHECK(http_client_read_head(fds[i], &answer));
        if (i % 2)
            CHECK(http_client_send(fds[i], STR("1")));
    }
    CHECK(http_toy_await_bytes(&toy, (size_t)STEP * ANNOUNCERS / 2));

    int good = http_client_open(toy.port);

    CHECK(http_client_send(good, STR("POST /echo HTTP/1.1\r\nHost: h\r\n"
                                     "Content-Length: 2\r\n\r\n{}")));
    CHECK(answers(good, 200));
    http_client_close(good);
    for (size_t i = 0; i < ANNOUNCERS; i++)
        http_client_close(fds[i]);
    CHECK(http_toy_await_bytes(&toy, 0));
    http_toy_stop(&toy);
}

/* The body's memory is free once the handler has answered, even if the answer is not read. */
static void an_unread_answer_holds_no_body(void)
{
    enum { LENGTH = 16 * 1024 * 1024, READERS = 3 };
    static char body[LENGTH];
    struct http_options options = http_toy_options();
    struct http_toy toy;
    int fds[READERS];

    options.max_body = LENGTH;
    options.max_inflight_bytes = LENGTH + LENGTH / 2;
    http_toy_start(&toy, options);
    for (size_t i = 0; i < READERS; i++) { /* no client reads; beyond the limit the oldest is cut */
        fds[i] = http_client_open(toy.port);
        CHECK(http_client_send(fds[i], STR("POST /echo HTTP/1.1\r\nHost: h\r\n"
                                           "Content-Length: 16777216\r\n\r\n")));
        CHECK(http_client_send(fds[i], (struct str){ body, LENGTH }));
        CHECK(http_toy_await_handled(&toy, i + 1));
        CHECK(http_toy_await_bytes(&toy, 0));
    }
    CHECK(http_toy_await_connections(&toy, 1));
    for (size_t i = 0; i < READERS; i++)
        http_client_close(fds[i]);
    http_toy_stop(&toy);
}

static void new_connections_wait_at_the_limit(void)
{
    struct http_options options = http_toy_options();
    struct http_toy toy;

    options.max_connections = 2;
    options.threads = 2;
    http_toy_start(&toy, options);

    int first = http_client_open(toy.port);
    int second = http_client_open(toy.port);

    CHECK(http_client_send(first, STR(HELD)) && http_client_send(second, STR(HELD)));
    CHECK(http_toy_await_held(&toy, 2)); /* so that none of them can be evicted */

    int third = http_client_open(toy.port); /* by the kernel, into the backlog */

    CHECK(http_client_send(third, STR(ALIVE)));
    CHECK(http_connections(toy.http) == 2);
    http_toy_let_go(&toy);
    CHECK(answers(first, 200) && answers(second, 200));
    CHECK(answers(third, 200));
    http_client_close(first);
    http_client_close(second);
    http_client_close(third);
    CHECK(http_toy_await_connections(&toy, 0));
    http_toy_stop(&toy);
}

static void idle_connections_are_evicted_at_the_limit(void)
{
    struct http_options options = http_toy_options();
    struct http_toy toy;

    options.max_connections = 1;
    http_toy_start(&toy, options);

    int idle = http_client_open(toy.port);

    CHECK(asks(idle));

    int next = http_client_open(toy.port);

    CHECK(asks(next));
    CHECK(http_client_is_closed(idle));
    http_client_close(idle);
    http_client_close(next);
    http_toy_stop(&toy);
}

/* A connection that sends one byte only takes no place from those that send requests. */
static void connections_without_a_request_are_evicted_at_the_limit(void)
{
    enum { SLOTS = 8, GOOD = 50 };
    struct http_options options = http_toy_options();
    struct http_toy toy;
    int slow[SLOTS];

    options.max_connections = SLOTS;
    http_toy_start(&toy, options); /* its deadline is longer than any client here waits */
    for (size_t i = 0; i < SLOTS; i++) {
        slow[i] = http_client_open(toy.port);
        CHECK(http_client_send(slow[i], STR("P")));
    }
    CHECK(http_toy_await_connections(&toy, SLOTS));
    for (size_t i = 0; i < GOOD; i++) {
        int good = http_client_open(toy.port);

        CHECK(asks(good));
        http_client_close(good);
    }
    CHECK(http_client_is_closed(slow[0])); /* the one that has been open for longest */
    for (size_t i = 0; i < SLOTS; i++)
        http_client_close(slow[i]);
    http_toy_stop(&toy);
}

/* No admit() has let it in, as strangers at /metrics. */
static void an_answer_to_a_stranger_that_is_not_read_is_evicted_at_the_limit(void)
{
    enum { LENGTH = 8 * 1024 * 1024 };
    static char body[LENGTH];
    struct http_options options = http_toy_options();
    struct http_toy toy;

    options.max_connections = 2;
    options.max_body = LENGTH;
    options.max_inflight_bytes = (size_t)3 * LENGTH;
    http_toy_start(&toy, options);

    int stranger = http_client_open(toy.port);

    CHECK(http_client_send(stranger, STR("POST /echo HTTP/1.1\r\nHost: h\r\n"
                                         "Content-Length: 8388608\r\n\r\n")));
    CHECK(http_client_send(stranger, (struct str){ body, LENGTH }));
    CHECK(http_toy_await_handled(&toy, 1));

    int waiting = http_client_open(toy.port);

    CHECK(http_client_send(waiting, STR("POST /wait HTTP/1.1\r\nHost: h\r\n"
                                        "Content-Length: 1\r\n\r\n1")));

    int next = http_client_open(toy.port);

    CHECK(asks(next));
    http_client_close(stranger);
    http_client_close(waiting);
    http_client_close(next);
    http_toy_stop(&toy);
}

static int open_from(const char *address, uint16_t port)
{
    struct sockaddr_in own = { .sin_family = AF_INET };
    struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(inet_pton(AF_INET, address, &own.sin_addr) == 1);
    CHECK(bind(fd, (const struct sockaddr *)&own, sizeof(own)) == 0);
    CHECK(connect(fd, (const struct sockaddr *)&server, sizeof(server)) == 0);
    return fd;
}

static void the_address_with_most_connections_is_evicted_first(void)
{
    enum { SLOTS = 64 };
    struct http_options options = http_toy_options();
    struct http_toy toy;
    int many[SLOTS - 1];

    options.max_connections = SLOTS;
    http_toy_start(&toy, options);

    int one = open_from("127.0.0.2", toy.port); /* the oldest */

    CHECK(http_client_send(one, STR("P")));
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        many[i] = http_client_open(toy.port);
        CHECK(http_client_send(many[i], STR("P")));
    }
    CHECK(http_toy_await_connections(&toy, SLOTS));

    int newcomer = http_client_open(toy.port);

    CHECK(asks(newcomer));
    CHECK(http_client_is_quiet(one));
    CHECK(http_client_is_closed(many[0]));
    http_client_close(newcomer);
    http_client_close(one);
    for (size_t i = 0; i < COUNT_OF(many); i++)
        http_client_close(many[i]);
    http_toy_stop(&toy);
}

static void one_address_does_not_take_all(void)
{
    struct http_options options = http_toy_options();
    struct http_toy toy;

    options.max_connections_per_address = 2;
    http_toy_start(&toy, options);

    int first = http_client_open(toy.port);
    int second = http_client_open(toy.port);

    CHECK(asks(first) && asks(second));

    int third = http_client_open(toy.port);

    CHECK(http_client_is_closed(third));
    http_client_close(first);
    CHECK(http_toy_await_connections(&toy, 1));

    int fourth = http_client_open(toy.port);

    CHECK(asks(fourth));
    http_client_close(second);
    http_client_close(third);
    http_client_close(fourth);
    http_toy_stop(&toy);
}

struct drain {
    struct http *http;
    bool empty;
};

static void *drain(void *self)
{
    struct drain *drain = self;

    drain->empty = http_drain(drain->http, clock_monotonic_us() + LONG_US);
    return NULL;
}

static void a_drain_answers_what_is_in_flight(void)
{
    enum { HOLDERS = 4 };
    struct http_options options = http_toy_options();
    struct http_answer answer = { 0 };
    struct http_toy toy;
    int fds[HOLDERS];
    pthread_t thread;

    options.threads = HOLDERS;
    http_toy_start(&toy, options);

    int idle = http_client_open(toy.port);

    CHECK(asks(idle));
    for (size_t i = 0; i < HOLDERS; i++) {
        fds[i] = http_client_open(toy.port);
        CHECK(http_client_send(fds[i], STR(HELD)));
    }
    CHECK(http_toy_await_held(&toy, HOLDERS - 1)); /* the idle one shares a loop with two */

    struct drain job = { toy.http, false };

    CHECK_INT(pthread_create(&thread, NULL, drain, &job), 0);
    http_toy_let_go(&toy);
    for (size_t i = 0; i < HOLDERS; i++) {
        CHECK(http_client_read(fds[i], &answer));
        CHECK_INT(answer.status, 200);
        http_client_close(fds[i]);
    }
    CHECK(http_client_is_closed(idle));
    http_client_close(idle);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(job.empty);
    CHECK_INT((int64_t)http_connections(toy.http), 0);
    http_toy_stop(&toy);
}

static void a_drain_says_close_and_lets_the_last_request_in(void)
{
    struct http_toy toy;
    pthread_t thread;

    http_toy_start(&toy, http_toy_options());

    int holder = http_client_open(toy.port);
    int other = http_client_open(toy.port);

    CHECK(asks(other));
    CHECK(http_client_send(holder, STR(HELD)));
    CHECK(http_toy_await_held(&toy, 1));
    CHECK(http_client_send(other, STR(ALIVE))); /* the loop is held and has not seen it */

    struct drain job = { toy.http, false };

    CHECK_INT(pthread_create(&thread, NULL, drain, &job), 0);
    http_toy_let_go(&toy);
    CHECK(answers(other, 200));
    CHECK(answers(holder, 200));
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(job.empty);
    CHECK(http_client_is_closed(other));
    http_client_close(other);
    http_client_close(holder);
    http_toy_stop(&toy);
}

static void a_drain_ends_at_its_deadline(void)
{
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());

    int fd = http_client_open(toy.port);

    CHECK(http_client_send(fd, STR("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n")));
    CHECK(http_toy_await_connections(&toy, 1));
    CHECK(!http_drain(toy.http, clock_monotonic_us() + SHORT_US));
    http_stop(toy.http);
    toy.http = NULL;
    CHECK_INT((int64_t)toy.last.end, (int64_t)HTTP_GONE);
    http_client_close(fd);
    http_toy_stop(&toy);
}

static void names_the_address_that_it_cannot_listen_on(void)
{
    const struct handler none[1] = { { 0 } };
    struct http_listener listener = { "127.0.0.1", 0, { none, 0 }, NULL, 0 };
    struct http_options options = http_toy_options();
    struct arena *arena = arena_create();
    struct error err = { 0 };
    struct http_toy toy;
    struct http *http = NULL;

    http_toy_start(&toy, http_toy_options());
    options.listeners = &listener;
    options.listener_count = 1;
    listener.port = toy.port;
    CHECK(!http_start(&options, &http, &err));
    CHECK_INT(err.code, ERR_SYSTEM);
    CHECK_STR(str_from_c(err.text),
              arena_printf(arena, "cannot listen on 127.0.0.1:%u: Address already in use",
                           (unsigned)toy.port)
                  .ptr);
    listener.address = "nowhere";
    CHECK(!http_start(&options, &http, &err));
    CHECK_INT(err.code, ERR_SYSTEM);
    CHECK(http == NULL);
    arena_destroy(arena);
    http_toy_stop(&toy);
}

static void leaves_no_descriptor_behind(void)
{
    size_t before = open_descriptors();

    answers_any_number_at_once();
    spreads_connections_evenly();
    CHECK_INT((int64_t)open_descriptors(), (int64_t)before);
}

int main(void)
{
    RUN(leaves_no_descriptor_behind);
    RUN(cuts_late_connections);
    RUN(closes_when_the_client_has_ended_the_stream);
    RUN(a_trickle_does_not_move_the_deadline);
    RUN(forgets_clients_that_leave);
    RUN(refuses_requests_beyond_its_limits);
    RUN(an_announcement_takes_no_memory);
    RUN(an_unread_answer_holds_no_body);
    RUN(new_connections_wait_at_the_limit);
    RUN(idle_connections_are_evicted_at_the_limit);
    RUN(connections_without_a_request_are_evicted_at_the_limit);
    RUN(an_answer_to_a_stranger_that_is_not_read_is_evicted_at_the_limit);
    RUN(the_address_with_most_connections_is_evicted_first);
    RUN(one_address_does_not_take_all);
    RUN(a_drain_answers_what_is_in_flight);
    RUN(a_drain_says_close_and_lets_the_last_request_in);
    RUN(a_drain_ends_at_its_deadline);
    RUN(names_the_address_that_it_cannot_listen_on);
    return test_end();
}
