/*
 * test_fetch_client.c - claims about struct fetch_client of base/fetch.h, over real sockets.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "base/version.h"
#include "tests/unit/canned.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { PATIENCE_US = 30000000, SEEN_MAX = 8192 };

static const int64_t for_ever_us = 600000000;

/* The clock of this process, libcurl's share of it too, can be moved forward. */
static _Atomic time_t ahead_s;

/* The C library's own names for parameters are not for us. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    long status = syscall(SYS_clock_gettime, clock, now);

    now->tv_sec += ahead_s;
    return (int)status;
}

/* What the server is to say, and what it heard last. */
struct talk {
    const char *answer; /* NULL: stall */
    char seen[SEEN_MAX];
};

static struct str say(void *self, struct str request, size_t nth)
{
    struct talk *talk = self;

    (void)nth;
    (void)snprintf(talk->seen, sizeof(talk->seen), "%.*s", STR_ARG(request));
    return str_from_c(talk->answer);
}

/* A name that no resolver sends to a server: a label has at most 63 bytes. */
#define NOWHERE "nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere-nowhere"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* A request to `server` with a client of its own. */
static bool run_once(const struct canned *server, struct fetch_request request,
                     struct fetch_answer *answer, struct error *err)
{
    struct fetch_client *client = fetch_client_create();
    char url[100];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/a/../b?c=%%2F", canned_port(server));
    if (!request.url)
        request.url = url;
    if (!request.timeout_us)
        request.timeout_us = PATIENCE_US;

    bool ok = fetch_client_run(client, &request, answer, err);

    fetch_client_destroy(client);
    return ok;
}

static void sends_what_it_is_told(void)
{
    static const struct fetch_header headers[] = {
        { "X-One", STR_INIT("1") },
        { "Content-Type", STR_INIT("application/x-amz-json-1.1") },
        { "X-Empty", STR_INIT("") },
    };
    static const struct {
        const char *name;
        struct fetch_request request;
        const char *begin;
        const char *has[3];
        const char *has_not;
    } cases[] = {
        { "GET", { .method = NULL }, "GET /a/../b?c=%2F HTTP/1.1\r\n", { "" }, "Content-Type" },
        { "POST",
          { .method = "POST", .headers = headers, .header_count = 3, .body = STR_INIT("a\r\nb") },
          "POST /a/../b?c=%2F HTTP/1.1\r\n",
          { "\r\nX-One: 1\r\nContent-Type: application/x-amz-json-1.1\r\nX-Empty:\r\n",
            "\r\nContent-Length: 4\r\n", "\r\n\r\na\r\nb" },
          "Expect" },
        { "a body without a type",
          { .method = "POST", .body = STR_INIT("a=b") },
          "POST ",
          { "\r\nContent-Length: 3\r\n" },
          "Content-Type" },
        { "PUT of no bytes",
          { .method = "PUT", .body = STR_INIT("") },
          "PUT ",
          { "\r\nContent-Length: 0\r\n" },
          "Content-Type" },
        { "DELETE", { .method = "DELETE" }, "DELETE ", { "" }, "Content-Length" },
    };
    struct talk talk = { .answer = OK_ANSWER };
    struct canned *server = canned_start(NULL, say, &talk);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fetch_answer answer;
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        fetch_answer_init(&answer, 100);
        CHECK(run_once(server, cases[i].request, &answer, &err));
        CHECK_STR(str_from_c(err.text), "");
        CHECK_INT(answer.status, 200);
        CHECK(str_starts_with(str_from_c(talk.seen), str_from_c(cases[i].begin)));
        for (size_t j = 0; j < COUNT_OF(cases[i].has) && cases[i].has[j]; j++)
            CHECK(strstr(talk.seen, cases[i].has[j]) != NULL);
        CHECK(strstr(talk.seen, cases[i].has_not) == NULL);
        fetch_answer_done(&answer);
    }
    canned_destroy(server);
}

static void requests_say_who_asks(void)
{
    static const struct fetch_header own = { "user-agent", STR_INIT("mine") };
    struct talk talk = { .answer = OK_ANSWER };
    struct canned *server = canned_start(NULL, say, &talk);

    for (size_t own_count = 0; own_count <= 1; own_count++) {
        const struct fetch_request request = { .headers = &own, .header_count = own_count };
        struct fetch_answer answer;
        struct error err = { 0 };

        fetch_answer_init(&answer, 100);
        CHECK(run_once(server, request, &answer, &err));
        CHECK((strstr(talk.seen, "\r\nUser-Agent: sluice/" SLUICE_VERSION "\r\n") != NULL) ==
              (own_count == 0));
        CHECK((strstr(talk.seen, "\r\nuser-agent: mine\r\n") != NULL) == (own_count == 1));
        fetch_answer_done(&answer);
    }
    canned_destroy(server);
}

static void a_large_body_arrives(void)
{
    struct talk talk = { .answer = OK_ANSWER };
    struct canned *server = canned_start(NULL, say, &talk);
    struct buf body;
    struct fetch_answer answer;
    struct error err = { 0 };

    buf_init(&body, 900000);
    for (int i = 0; i < 100000; i++)
        buf_add(&body, STR("12345678\n"));
    fetch_answer_init(&answer, 100);
    CHECK(run_once(server, (struct fetch_request){ .method = "POST", .body = buf_str(&body) },
                   &answer, &err));
    CHECK_STR(buf_str(&answer.body), "ok");
    fetch_answer_done(&answer);
    buf_done(&body);
    canned_destroy(server);
}

static void headers_of_the_answer_are_found(void)
{
    struct talk talk = {
        .answer = "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
                  "HTTP/1.1 429 Slow\r\nRetry-After:  7 \r\nX-Twice: a\r\nx-twice: b\r\n"
                  "X-Empty:\r\nContent-Length: 0\r\n\r\n",
    };
    static const struct {
        const char *name;
        const char *value;
    } cases[] = {
        { "Retry-After", "7" }, { "RETRY-AFTER", "7" }, { "X-Twice", "b" }, { "X-Empty", "" },
        { "X-Interim", "" },    { "Retry", "" },        { "", "" },
    };
    struct canned *server = canned_start(NULL, say, &talk);
    struct fetch_answer answer;
    struct error err = { 0 };

    fetch_answer_init(&answer, 100);
    CHECK(run_once(server, (struct fetch_request){ 0 }, &answer, &err));
    CHECK_INT(answer.status, 429);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        CHECK_STR(fetch_answer_header(&answer, cases[i].name), cases[i].value);
    }
    fetch_answer_done(&answer);
    canned_destroy(server);
}

static void a_connection_is_used_again(void)
{
    struct talk talk = { .answer = OK_ANSWER };
    struct canned *server = canned_start(NULL, say, &talk);
    struct fetch_client *client = fetch_client_create();
    struct fetch_answer answer;
    char url[100];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", canned_port(server));
    fetch_answer_init(&answer, 100);
    for (int i = 0; i < 3; i++) {
        struct error err = { 0 };

        CHECK(fetch_client_run(client,
                               &(struct fetch_request){ .url = url, .timeout_us = PATIENCE_US },
                               &answer, &err));
        CHECK_STR(buf_str(&answer.body), "ok"); /* not "okok" */
    }
    CHECK_INT((int64_t)canned_connections(server), 1);
    CHECK_INT((int64_t)canned_requests(server), 3);
    fetch_answer_done(&answer);
    fetch_client_destroy(client);
    canned_destroy(server);
}

/* What the second request meets: the server has closed the connection that is kept. */
static struct str say_and_close(void *self, struct str request, size_t nth)
{
    (void)self;
    (void)request;
    return nth == 1 ? CANNED_CLOSE : STR(OK_ANSWER);
}

static void an_old_connection_is_not_used_again(void)
{
    struct talk talk = { .answer = OK_ANSWER };
    struct canned *server = canned_start(NULL, say, &talk);
    struct fetch_client *client = fetch_client_create();
    static const int ages_s[] = { 0, 60, 60, 60, 60, 70, 0 }; /* 310 s in all at the sixth */
    struct fetch_answer answer;
    struct error err = { 0 };
    char url[100];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", canned_port(server));
    fetch_answer_init(&answer, 100);
    for (size_t i = 0; i < COUNT_OF(ages_s); i++) {
        const struct fetch_request request = { .url = url, .timeout_us = PATIENCE_US };

        ahead_s += ages_s[i];
        CHECK(fetch_client_run(client, &request, &answer, &err));
        CHECK_INT((int64_t)canned_connections(server), i < 5 ? 1 : 2);
    }
    fetch_answer_done(&answer);
    fetch_client_destroy(client);
    canned_destroy(server);
}

static void a_connection_that_died_is_replaced(void)
{
    struct canned *server = canned_start(NULL, say_and_close, NULL);
    struct fetch_client *client = fetch_client_create();
    struct fetch_answer answer;
    char url[100];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", canned_port(server));
    fetch_answer_init(&answer, 100);
    for (int i = 0; i < 2; i++) {
        struct error err = { 0 };

        CHECK(fetch_client_run(client,
                               &(struct fetch_request){ .url = url, .timeout_us = PATIENCE_US },
                               &answer, &err));
        CHECK_STR(str_from_c(err.text), "");
    }
    CHECK_INT((int64_t)canned_connections(server), 2);
    fetch_answer_done(&answer);
    fetch_client_destroy(client);
    canned_destroy(server);
}

static const struct fetch_header two_lines = { "X-A", STR_INIT("a\r\nX-B: b") };
static const struct {
    const char *name;
    const char *answer;
    struct fetch_request request;
    enum fetch_failure failure;
    const char *text;
} failing[] = {
    { "no such host",
      OK_ANSWER,
      { .url = "http://" NOWHERE "/" },
      FETCH_RESOLVE,
      "the host name cannot be resolved" },
    { "no TLS there", OK_ANSWER, { .url = "" }, FETCH_TLS, "the TLS handshake failed" },
    { "no CA file",
      OK_ANSWER,
      { .url = "", .ca_file = "/nowhere/ca.pem" },
      FETCH_CERTIFICATE,
      "the CA file cannot be used" },
    { "no client certificate",
      OK_ANSWER,
      { .url = "", .cert_file = "/nowhere/cert.pem", .key_file = "/nowhere/key.pem" },
      FETCH_CERTIFICATE,
      "the client certificate cannot be used" },
    { "nobody listens",
      OK_ANSWER,
      { .url = "http://127.0.0.1:1/" },
      FETCH_CONNECT,
      "cannot connect: Connection refused" },
    { "silence", NULL, { .timeout_us = 50000 }, FETCH_TIMEOUT, "no whole answer in time" },
    { "no answer", "", { 0 }, FETCH_RESET, "the connection ended without an answer" },
    { "too long",
      "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nmore than it",
      { 0 },
      FETCH_TOO_LARGE,
      "the answer is too large" },
    { "no HTTP", "SSH-2.0-x\r\n", { 0 }, FETCH_OTHER, "this is not HTTP" },
    { "no URL", OK_ANSWER, { .url = "http://" }, FETCH_OTHER, "the URL is none" },
    { "a header of two lines",
      OK_ANSWER,
      { .headers = &two_lines, .header_count = 1 },
      FETCH_OTHER,
      "the header X-A has more than one line" },
};

static void failures_have_a_kind(void)
{
    for (size_t i = 0; i < COUNT_OF(failing); i++) {
        struct talk talk = { .answer = failing[i].answer };
        struct canned *server = canned_start(NULL, say, &talk);
        struct fetch_request request = failing[i].request;
        struct fetch_answer answer;
        struct error err = { 0 };
        char url[100];

        TEST_CASE(failing[i].name);
        (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", canned_port(server));
        if (request.url && !*request.url)
            request.url = url;
        fetch_answer_init(&answer, 10);
        CHECK(!run_once(server, request, &answer, &err));
        CHECK_INT(err.code, ERR_UNREACHABLE);
        CHECK_INT(answer.failure, failing[i].failure);
        CHECK_STR(str_from_c(err.text), failing[i].text);
        fetch_answer_done(&answer);
        canned_destroy(server);
    }
}

static void headers_without_end_are_too_large(void)
{
    struct talk talk = { 0 };
    struct buf text;
    struct fetch_answer answer;
    struct error err = { 0 };

    buf_init(&text, 200000);
    buf_add(&text, STR("HTTP/1.1 200 OK\r\n"));
    for (int i = 0; i < 4000; i++)
        buf_add(&text, STR("X-Filler: 0123456789\r\n"));
    buf_add(&text, STR("Content-Length: 0\r\n\r\n\0"));
    talk.answer = text.ptr;

    struct canned *server = canned_start(NULL, say, &talk);

    fetch_answer_init(&answer, 10);
    CHECK(!run_once(server, (struct fetch_request){ 0 }, &answer, &err));
    CHECK_INT(answer.failure, FETCH_TOO_LARGE);
    fetch_answer_done(&answer);
    canned_destroy(server);
    buf_done(&text);
}

struct job {
    struct fetch_client *client;
    const struct canned *server;
    enum fetch_failure failure;
};

static void *fetch_in_thread(void *self)
{
    struct job *job = self;
    struct fetch_answer answer;
    struct error err = { 0 };
    char url[100];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", canned_port(job->server));
    fetch_answer_init(&answer, 10);
    CHECK(!fetch_client_run(job->client,
                            &(struct fetch_request){ .url = url, .timeout_us = for_ever_us },
                            &answer, &err));
    job->failure = answer.failure;
    fetch_answer_done(&answer);
    return NULL;
}

static bool has_a_request(void *self)
{
    return canned_requests(self) > 0;
}

static void another_thread_can_interrupt(void)
{
    struct talk talk = { .answer = NULL };
    struct canned *server = canned_start(NULL, say, &talk);
    struct job job = { .client = fetch_client_create(), .server = server };
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, fetch_in_thread, &job) == 0);
    CHECK(wait_until(has_a_request, server));
    fetch_client_interrupt(job.client);
    (void)pthread_join(thread, NULL);
    CHECK_INT(job.failure, FETCH_INTERRUPTED);

    (void)fetch_in_thread(&job); /* and so do all later ones */
    CHECK_INT(job.failure, FETCH_INTERRUPTED);
    CHECK_INT((int64_t)canned_requests(server), 1);
    fetch_client_destroy(job.client);
    canned_destroy(server);
}

static void a_socket_file_will_do(void)
{
    struct talk talk = { .answer = OK_ANSWER };
    struct folder folder;
    char path[FOLDER_PATH_SIZE];

    folder_init(&folder);
    folder_path(&folder, "socket", path);

    struct canned *server = canned_start(path, say, &talk);
    struct fetch_answer answer;
    struct error err = { 0 };

    fetch_answer_init(&answer, 10);
    CHECK(run_once(server, (struct fetch_request){ .url = "http://sluice/x", .unix_socket = path },
                   &answer, &err));
    CHECK_STR(buf_str(&answer.body), "ok");
    CHECK(str_starts_with(str_from_c(talk.seen), STR("GET /x HTTP/1.1\r\nHost: sluice\r\n")));
    fetch_answer_done(&answer);
    canned_destroy(server);
    folder_done(&folder);
}

static void a_proxy_is_used_only_when_wanted(void)
{
    static const struct {
        const char *name;
        const char *url;
        enum fetch_proxy proxy;
        const char *begin;
    } cases[] = {
        { "wanted", "http://a." NOWHERE "/x", FETCH_PROXY_ENVIRONMENT,
          "GET http://a." NOWHERE "/x HTTP/1.1\r\n" },
        { "by TLS", "https://a." NOWHERE "/x", FETCH_PROXY_ENVIRONMENT,
          "CONNECT a." NOWHERE ":443 HTTP/1.1\r\n" },
        { "not for these", "http://b." NOWHERE "/x", FETCH_PROXY_ENVIRONMENT, "" },
        { "never", "http://a." NOWHERE "/x", FETCH_PROXY_NEVER, "" },
    };
    char proxy[100];

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct talk talk = { .answer = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n" };
        struct canned *server = canned_start(NULL, say, &talk);
        struct fetch_answer answer;
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", canned_port(server));
        (void)setenv("http_proxy", proxy, 1);      /* NOLINT(concurrency-mt-unsafe) */
        (void)setenv("HTTPS_PROXY", proxy, 1);     /* NOLINT(concurrency-mt-unsafe) */
        (void)setenv("NO_PROXY", "b." NOWHERE, 1); /* NOLINT(concurrency-mt-unsafe) */
        fetch_answer_init(&answer, 10);
        (void)!run_once(server,
                        (struct fetch_request){ .url = cases[i].url, .proxy = cases[i].proxy },
                        &answer, &err);
        canned_stop(server);
        CHECK(str_starts_with(str_from_c(talk.seen), str_from_c(cases[i].begin)));
        CHECK_INT((int64_t)canned_requests(server), *cases[i].begin ? 1 : 0);
        fetch_answer_done(&answer);
        canned_destroy(server);
    }
}

int main(void)
{
    struct error err = { 0 };

    (void)signal(SIGPIPE, SIG_IGN);
    CHECK(fetch_init(&err));
    RUN(sends_what_it_is_told);
    RUN(requests_say_who_asks);
    RUN(a_large_body_arrives);
    RUN(headers_of_the_answer_are_found);
    RUN(a_connection_is_used_again);
    RUN(an_old_connection_is_not_used_again);
    RUN(a_connection_that_died_is_replaced);
    RUN(failures_have_a_kind);
    RUN(headers_without_end_are_too_large);
    RUN(another_thread_can_interrupt);
    RUN(a_socket_file_will_do);
    RUN(a_proxy_is_used_only_when_wanted);
    return test_end();
}
