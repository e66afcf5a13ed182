/*
 * test_exporter.c - claims about tracing/exporter.h.
 */
#include "base/tracing/exporter.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/fetch.h"
#include "tests/unit/canned.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define ANSWER(status, more, body) "HTTP/1.1 " status "\r\n" more "Connection: close\r\n\r\n" body

static char seen[4096];

static struct str answer(void *self, struct str request, size_t nth)
{
    (void)nth;
    (void)snprintf(seen, sizeof(seen), "%.*s", STR_ARG(request));
    return str_from_c(self);
}

/* An exporter to `server`; NULL: to a port where nothing listens. */
static struct exporter *begin(const struct canned *server, const struct exporter_header *header)
{
    char endpoint[64];
    struct error err;

    assert(fetch_init(&err));
    (void)snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d/base/",
                   server ? canned_port(server) : 1);
    return exporter_create(&(struct exporter_options){ .endpoint = endpoint,
                                                       .headers = header,
                                                       .header_count = header != NULL,
                                                       .ca_file = "",
                                                       .service_name = "front",
                                                       .version = "1" });
}

static void answers_mean_what_the_specification_says(void)
{
    static const struct {
        const char *answer;
        enum exporter_result result;
        size_t rejected;
        int64_t retry_after_us;
        const char *why;
    } rows[] = {
        { ANSWER("200 OK", "", "{}"), EXPORTER_TAKEN, 0, 0, "" },
        { ANSWER("200 OK", "", ""), EXPORTER_TAKEN, 0, 0, "" },
        { ANSWER("200 OK", "", "[]"), EXPORTER_TAKEN, 0, 0, "" },
        { ANSWER("202 Accepted", "", "{\"partialSuccess\":{}}"), EXPORTER_TAKEN, 0, 0, "" },
        { ANSWER("200 OK", "", "{\"partialSuccess\":{\"rejectedSpans\":\"3\"}}"), EXPORTER_TAKEN, 3,
          0, "" },
        { ANSWER("200 OK", "", "{\"partialSuccess\":{\"rejectedSpans\":4}}"), EXPORTER_TAKEN, 4, 0,
          "" },
        { ANSWER("200 OK", "", "{\"partialSuccess\":{\"rejectedSpans\":\"x\"}}"), EXPORTER_TAKEN, 0,
          0, "" },
        { ANSWER("200 OK", "", "{\"partialSuccess\":{\"rejectedSpans\":-1}}"), EXPORTER_TAKEN, 0, 0,
          "" },
        { ANSWER("400 Bad Request", "", ""), EXPORTER_REFUSED, 0, 0, "HTTP 400" },
        { ANSWER("500 Internal Server Error", "", ""), EXPORTER_REFUSED, 0, 0, "HTTP 500" },
        { ANSWER("503 Service Unavailable", "Retry-After: 7\r\n", ""), EXPORTER_LATER, 0, 7000000,
          "HTTP 503" },
        { ANSWER("429 Too Many Requests", "Retry-After: 61\r\n", ""), EXPORTER_LATER, 0, 0,
          "HTTP 429" },
        { ANSWER("502 Bad Gateway", "", ""), EXPORTER_LATER, 0, 0, "HTTP 502" },
        { ANSWER("504 Gateway Timeout", "", ""), EXPORTER_LATER, 0, 0, "HTTP 504" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct canned *server = canned_start(NULL, answer, (void *)rows[i].answer);
        struct exporter *exporter = begin(server, NULL);
        struct exporter_answer got;

        TEST_CASE(rows[i].answer);
        exporter_send(exporter, STR("{}"), &got);
        CHECK_INT(got.result, rows[i].result);
        CHECK_INT((int64_t)got.rejected, (int64_t)rows[i].rejected);
        CHECK_INT(got.retry_after_us, rows[i].retry_after_us);
        CHECK_STR(str_from_c(got.why.text), rows[i].why);
        exporter_destroy(exporter);
        canned_destroy(server);
    }
}

static void a_call_has_resource_spans_and_headers(void)
{
    const struct exporter_header header = { .name = "x-key", .file = scratch_file("secret") };
    struct canned *server = canned_start(NULL, answer, (void *)ANSWER("200 OK", "", "{}"));
    struct exporter *exporter = begin(server, &header);
    struct exporter_answer got;

    exporter_send(exporter, STR("{\"a\":1},{}"), &got);
    CHECK_INT(got.result, EXPORTER_TAKEN);
    CHECK(strstr(seen, "POST /base/v1/traces HTTP/1.1\r\n"));
    CHECK(strstr(seen, "x-key: secret\r\n") && strstr(seen, "Content-Type: application/json\r\n"));
    CHECK_STR(str_from_c(strstr(seen, "\r\n\r\n") + 4),
              "{\"resourceSpans\":[{\"resource\":{\"attributes\":["
              "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"front\"}},"
              "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"1\"}}]},"
              "\"scopeSpans\":[{\"scope\":{\"name\":\"sluice\",\"version\":\"1\"},"
              "\"spans\":[{\"a\":1},{}]}]}]}");
    exporter_destroy(exporter);
    canned_destroy(server);
    scratch_close();
}

static void without_an_answer_it_is_tried_later(void)
{
    const struct exporter_header header = { .name = "x-key", .file = "/none" };
    struct canned *server = canned_start(NULL, answer, (void *)ANSWER("200 OK", "", "{}"));
    struct exporter *exporter = begin(NULL, NULL);
    struct exporter_answer got;

    exporter_send(exporter, STR("{}"), &got);
    CHECK_INT(got.result, EXPORTER_LATER);
    CHECK(*got.why.text);
    exporter_destroy(exporter);

    exporter = begin(server, &header); /* a secret that cannot be read */
    exporter_send(exporter, STR("{}"), &got);
    CHECK_INT(got.result, EXPORTER_LATER);
    CHECK(strstr(got.why.text, "/none"));
    exporter_destroy(exporter);

    exporter = begin(server, NULL);
    exporter_interrupt(exporter);
    exporter_send(exporter, STR("{}"), &got);
    CHECK_INT(got.result, EXPORTER_LATER);
    CHECK_INT((int64_t)canned_requests(server), 0);
    exporter_destroy(exporter);
    exporter_destroy(NULL);
    canned_destroy(server);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    RUN(answers_mean_what_the_specification_says);
    RUN(a_call_has_resource_spans_and_headers);
    RUN(without_an_answer_it_is_tried_later);
    return test_end();
}
