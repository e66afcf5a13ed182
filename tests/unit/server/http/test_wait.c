/*
 * test_wait.c - requests that wait for another thread, over real sockets.
 */
#include <pthread.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/clock.h"
#include "server/http/http.h"
#include "tests/unit/http_client.h"
#include "tests/unit/http_toy.h"
#include "tests/unit/test.h"

#define WAIT(text, len) "POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: " len "\r\n\r\n" text
#define PLAIN           WAIT("ab", "2")
#define TWICE           WAIT("twice", "5")
#define AT_ONCE         WAIT("at once", "7")

enum { SHORT_US = 150 * 1000, LONG_US = 20 * 1000 * 1000, MANY = 500 };

static bool answers(int fd, int status, struct str body)
{
    struct http_answer answer;

    return http_client_read(fd, &answer) && answer.status == status &&
           str_equal(http_answer_body(&answer), body);
}

/* The loop has read all earlier messages. */
static bool turns(struct http_toy *toy)
{
    int fd = http_client_open(toy->port);
    bool answered = http_client_send(fd, STR("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")) &&
                    answers(fd, 200, STR("{\"status\":\"ok\"}"));

    http_client_close(fd);
    return answered;
}

static void answers_once_woken(void)
{
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());

    int fd = http_client_open(toy.port);

    for (size_t i = 1; i <= 3; i++) { /* on one connection: slots are reused */
        CHECK(http_client_send(fd, STR(PLAIN)));
        CHECK(http_toy_await_waiting(&toy, i, i - 1));
        CHECK(http_client_is_quiet(fd));
        waker_wake(toy.wakers[i - 1]);
        CHECK(answers(fd, 200, STR("ab")));
    }
    http_client_close(fd);
    CHECK_INT((int64_t)toy.resumed, 3);
    http_toy_stop(&toy);
}

static void loses_no_early_wake(void)
{
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());

    int fd = http_client_open(toy.port);

    CHECK(http_client_send(fd, STR(AT_ONCE AT_ONCE AT_ONCE)));
    for (size_t i = 0; i < 3; i++)
        CHECK(answers(fd, 200, STR("at once")));
    http_client_close(fd);
    http_toy_stop(&toy);
}

static void may_wait_again(void)
{
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());

    int fd = http_client_open(toy.port);

    CHECK(http_client_send(fd, STR(TWICE)));
    CHECK(http_toy_await_waiting(&toy, 1, 0));
    waker_wake(toy.wakers[0]);
    CHECK(http_toy_await_waiting(&toy, 1, 1));
    CHECK(http_client_is_quiet(fd));
    waker_wake(toy.wakers[0]);
    CHECK(answers(fd, 200, STR("twice")));
    http_client_close(fd);
    http_toy_stop(&toy);
}

static void ignores_old_wakers(void)
{
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());

    int fd = http_client_open(toy.port);

    CHECK(http_client_send(fd, STR(PLAIN)));
    CHECK(http_toy_await_waiting(&toy, 1, 0));
    for (size_t i = 0; i < 100; i++)
        waker_wake(toy.wakers[0]);
    CHECK(answers(fd, 200, STR("ab")));
    CHECK(http_client_send(fd, STR(PLAIN))); /* gets the slot of the first */
    CHECK(http_toy_await_waiting(&toy, 2, 1));
    waker_wake(toy.wakers[0]);
    CHECK(turns(&toy));
    CHECK_INT((int64_t)toy.resumed, 1);
    CHECK(http_client_is_quiet(fd));
    waker_wake(toy.wakers[1]);
    CHECK(answers(fd, 200, STR("ab")));
    waker_wake(toy.wakers[1]);
    waker_wake(toy.wakers[0]);
    http_client_close(fd);
    CHECK(http_toy_await_connections(&toy, 0));
    waker_wake(toy.wakers[1]);
    CHECK_INT((int64_t)toy.resumed, 2);
    http_toy_stop(&toy);
}

static void expires_at_the_deadline(void)
{
    struct http_options options = http_toy_options();
    struct http_toy toy;

    options.deadline_us = SHORT_US;
    http_toy_start(&toy, options);

    int fd = http_client_open(toy.port);
    int64_t start_us = clock_monotonic_us();

    CHECK(http_client_send(fd, STR(TWICE)));
    CHECK(answers(fd, 503, STR("twice")));
    CHECK(clock_monotonic_us() - start_us >= SHORT_US);
    CHECK(clock_monotonic_us() - start_us < LONG_US / 2);
    waker_wake(toy.wakers[0]); /* too late */
    CHECK(http_client_send(fd, STR(AT_ONCE)));
    CHECK(answers(fd, 200, STR("at once")));
    CHECK_INT((int64_t)toy.resumed, 2);
    http_client_close(fd);
    http_toy_stop(&toy);
}

/* The time that the body took counts. */
static void counts_from_the_first_byte(void)
{
    struct http_options options = http_toy_options();
    struct http_toy toy;

    options.deadline_us = (int64_t)4 * SHORT_US;
    http_toy_start(&toy, options);

    int slow = http_client_open(toy.port);
    int quick = http_client_open(toy.port);
    int64_t start_us = clock_monotonic_us();

    CHECK(http_client_send(slow,
                           STR("POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na")));
    while (clock_monotonic_us() - start_us < (int64_t)2 * SHORT_US)
        continue;
    CHECK(http_client_send(quick, STR(PLAIN)));
    CHECK(http_toy_await_waiting(&toy, 1, 0));
    CHECK(http_client_send(slow, STR("b")));
    CHECK(answers(slow, 503, STR("ab")));
    CHECK(http_client_is_quiet(quick));
    CHECK(answers(quick, 503, STR("ab")));
    http_client_close(slow);
    http_client_close(quick);
    http_toy_stop(&toy);
}

struct waking {
    struct http_toy *toy;
    size_t count;
};

static void *wake_all(void *self)
{
    const struct waking *waking = self;

    for (size_t i = 0; i < waking->count; i++)
        waker_wake(waking->toy->wakers[i]);
    return NULL;
}

static void answers_many_woken_at_once(void)
{
    struct http_options options = http_toy_options();
    struct http_toy toy;
    int fds[MANY];
    struct waking waking = { &toy, MANY };
    pthread_t threads[2];
    size_t answered = 0;

    options.threads = 2;
    http_toy_start(&toy, options);
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = http_client_open(toy.port);
        CHECK(http_client_send(fds[i], STR(PLAIN)));
    }
    CHECK(http_toy_await_waiting(&toy, MANY, 0));
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        CHECK(!pthread_create(&threads[i], NULL, wake_all, &waking));
    for (size_t i = 0; i < MANY; i++)
        answered += answers(fds[i], 200, STR("ab")) ? 1 : 0;
    CHECK_INT((int64_t)answered, MANY);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        (void)pthread_join(threads[i], NULL);
    for (size_t i = 0; i < MANY; i++)
        http_client_close(fds[i]);
    CHECK(http_toy_await_connections(&toy, 0));
    http_toy_stop(&toy);
}

static void survives_clients_that_leave(void)
{
    struct http_toy toy;

    http_toy_start(&toy, http_toy_options());
    for (size_t i = 1; i <= 10; i++) {
        int gone = http_client_open(toy.port);
        int half = http_client_open(toy.port);

        CHECK(http_client_send(gone, STR(PLAIN)));
        CHECK(http_client_send_last(half, STR(PLAIN)));
        CHECK(http_toy_await_waiting(&toy, 2 * i, 0));
        http_client_reset(gone, STR_NONE);
        waker_wake(toy.wakers[2 * i - 2]);
        waker_wake(toy.wakers[2 * i - 1]);
        CHECK(answers(half, 200, STR("ab")));
        http_client_close(half);
    }
    CHECK(http_toy_await_connections(&toy, 0));
    http_toy_stop(&toy);
}

static void ends_while_they_wait(void)
{
    struct http_toy toy;
    int fds[3];

    http_toy_start(&toy, http_toy_options());
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = http_client_open(toy.port);
        CHECK(http_client_send(fds[i], STR(PLAIN)));
    }
    CHECK(http_toy_await_waiting(&toy, COUNT_OF(fds), 0));
    http_toy_stop(&toy);
    CHECK_INT((int64_t)toy.resumed, 0);
    CHECK_INT((int64_t)toy.reports, COUNT_OF(fds));
    CHECK_INT((int64_t)toy.last.end, (int64_t)HTTP_LATE);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        CHECK(http_client_is_closed(fds[i]));
        http_client_close(fds[i]);
    }
}

static void *wake_soon(void *self)
{
    struct http_toy *toy = self;

    while (http_connections(toy->http) > 1) /* the drain closes the idle one first */
        continue;
    waker_wake(toy->wakers[0]);
    return NULL;
}

static void a_drain_answers_waiting_requests(void)
{
    struct http_toy toy;
    struct http_answer answer;
    pthread_t thread;

    http_toy_start(&toy, http_toy_options());

    int idle = http_client_open(toy.port);
    int fd = http_client_open(toy.port);

    CHECK(http_client_send(fd, STR(PLAIN)));
    CHECK(http_toy_await_waiting(&toy, 1, 0));
    CHECK(http_toy_await_connections(&toy, 2));
    CHECK(!pthread_create(&thread, NULL, wake_soon, &toy));
    CHECK(http_drain(toy.http, clock_monotonic_us() + LONG_US));
    (void)pthread_join(thread, NULL);
    CHECK(http_client_read(fd, &answer));
    CHECK_INT(answer.status, 200);
    CHECK_STR(http_answer_header(&answer, "Connection"), "close");
    http_client_close(idle);
    http_client_close(fd);
    http_toy_stop(&toy);
}

int main(void)
{
    RUN(answers_once_woken);
    RUN(loses_no_early_wake);
    RUN(may_wait_again);
    RUN(ignores_old_wakers);
    RUN(expires_at_the_deadline);
    RUN(counts_from_the_first_byte);
    RUN(answers_many_woken_at_once);
    RUN(survives_clients_that_leave);
    RUN(ends_while_they_wait);
    RUN(a_drain_answers_waiting_requests);
    return test_end();
}
