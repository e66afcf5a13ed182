/*
 * test_request_span.c - claims about server/request_span.h: which requests have a span, and what it
 * says of requests that no event is in. tests/e2e/test_tracing.py has the usual ones.
 */
#include "server/request_span.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "tests/unit/canned.h"
#include "tests/unit/test.h"

#define SELF "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"

static char seen[8192]; /* the last request */

static struct str answer(void *self, struct str request, size_t nth)
{
    (void)self;
    (void)nth;
    (void)snprintf(seen, sizeof(seen), "%.*s", STR_ARG(request));
    return STR("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
}

/* What was sent of the request; NULL: nothing. */
static const char *export(const struct http_exchange_summary *summary)
{
    struct canned *server = canned_start(NULL, answer, NULL);
    struct tracer *tracer = NULL;
    char endpoint[64];
    struct error err;

    seen[0] = '\0';
    assert(fetch_init(&err));
    (void)snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d", canned_port(server));
    assert(tracer_create(&(struct tracer_options){ .exporter = { .endpoint = endpoint,
                                                                 .ca_file = "",
                                                                 .service_name = "s",
                                                                 .version = "1" } },
                         &tracer, &err));
    request_span_add(tracer, summary, "https");
    tracer_stop(tracer, 30 * US_PER_S);
    tracer_destroy(tracer);
    canned_destroy(server);
    return *seen ? seen : NULL;
}

static const struct request_note no_note;

static struct http_exchange_summary summary_of(int status)
{
    return (struct http_exchange_summary){ .method = STR("POST"),
                                           .path = STR("/events"),
                                           .id = STR("r"),
                                           .traceparent = STR(SELF),
                                           .is_traced = true,
                                           .status = status,
                                           .note = &no_note };
}

static void probes_and_untraced_requests_have_none(void)
{
    struct http_exchange_summary summary = summary_of(200);

    summary.is_quiet = true;
    CHECK(!export(&summary));
    summary = summary_of(200);
    summary.is_traced = false;
    CHECK(!export(&summary));
}

static void says_what_failed(void)
{
    static const struct {
        int status;
        enum http_end end;
        const char *type;
        bool has_failed;
    } rows[] = {
        { 200, HTTP_ANSWERED, NULL, false }, { 413, HTTP_ANSWERED, "413", false },
        { 503, HTTP_ANSWERED, "503", true }, { 0, HTTP_LATE, "late", true },
        { 0, HTTP_GONE, "gone", true },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_exchange_summary summary = summary_of(rows[i].status);
        const char *body;
        char type[80];

        TEST_CASE(rows[i].type ? rows[i].type : "none");
        summary.end = rows[i].end;
        body = export(&summary);
        assert(body);
        (void)snprintf(type, sizeof(type),
                       "{\"key\":\"error.type\",\"value\":{\"stringValue\":\"%s\"}}",
                       rows[i].type ? rows[i].type : "");
        CHECK_INT(strstr(body, type) != NULL, rows[i].type != NULL);
        CHECK_INT(strstr(body, "\"status\":{\"code\":2}") != NULL, rows[i].has_failed);
        CHECK_INT(strstr(body, "http.response.status_code") != NULL, rows[i].status != 0);
        CHECK(strstr(body, "{\"key\":\"url.scheme\",\"value\":{\"stringValue\":\"https\"}}"));
        CHECK(!strstr(body, "sluice.outcome"));
    }
}

static void what_a_sender_invents_is_not_a_name(void)
{
    struct http_exchange_summary summary = summary_of(404);
    const char *body;

    summary.method = summary.path = STR("other");
    body = export(&summary);
    assert(body);
    CHECK(strstr(body, "\"name\":\"HTTP\""));
    CHECK(strstr(body, "{\"stringValue\":\"_OTHER\"}"));
    CHECK(!strstr(body, "http.route"));
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    RUN(probes_and_untraced_requests_have_none);
    RUN(says_what_failed);
    RUN(what_a_sender_invents_is_not_a_name);
    return test_end();
}
