/*
 * test_oauth.c - access tokens: what is asked, when a token is fetched again, whose fault a failure
 * is, and that several callers fetch one token
 */
#include "delivery/sinks/oauth.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "base/secret.h"
#include "tests/unit/canned.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { CALLERS = 8, URL_SIZE = 100, ANSWER_SIZE = 40000, PATIENCE_US = 20000000 };

#define JSON_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"

static struct folder folder;
static char secret_path[FOLDER_PATH_SIZE];

/* The token server: what it answers, and what it was sent last. */
static struct {
    struct canned *canned;
    const char *answer; /* "%zu" becomes the number of the request; NULL: none */
    atomic_bool must_wait;
    char seen[4096];
    char sent[ANSWER_SIZE];
} server;

static bool may_go_on(void *self)
{
    (void)self;
    return !server.must_wait;
}

static struct str answer(void *self, struct str request, size_t nth)
{
    const char *mark = server.answer ? strstr(server.answer, "%zu") : NULL;

    (void)self;
    assert(request.len < sizeof(server.seen));
    memcpy(server.seen, request.ptr, request.len);
    server.seen[request.len] = '\0';
    (void)wait_until(may_go_on, NULL);
    if (!server.answer)
        return CANNED_STALL;
    if (!mark)
        return str_from_c(server.answer);
    (void)snprintf(server.sent, sizeof(server.sent), "%.*s%zu%s", (int)(mark - server.answer),
                   server.answer, nth + 1, mark + 3);
    return str_from_c(server.sent);
}

static struct oauth *begin_with(const char *text, int64_t timeout_us, bool in_form)
{
    static char url[URL_SIZE];

    server.answer = text;
    server.must_wait = false;
    server.canned = canned_start(NULL, answer, NULL);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/token", canned_port(server.canned));
    return oauth_create(&(struct oauth_options){ .token_url = url,
                                                 .client_id = "me:and you",
                                                 .client_secret_file = secret_path,
                                                 .scope = "a b",
                                                 .ca_file = "",
                                                 .timeout_us = timeout_us,
                                                 .in_form = in_form });
}

static struct oauth *begin(const char *text, int64_t timeout_us)
{
    return begin_with(text, timeout_us, false);
}

static void end(struct oauth *oauth)
{
    oauth_destroy(oauth);
    canned_destroy(server.canned);
}

/* The value that is granted; "" and `err` is set when none is. */
static const char *granted(struct oauth *oauth, struct error *err)
{
    static char text[200];
    struct oauth_grant grant = { 0 };

    *err = (struct error){ 0 };
    text[0] = '\0';
    if (oauth_authorize(oauth, &grant, err)) {
        (void)snprintf(text, sizeof(text), "%.*s #%d", STR_ARG(grant.authorization),
                       (int)grant.number);
        secret_free(grant.authorization);
    }
    return text;
}

static void asks_as_the_standard_says(void)
{
    struct oauth *oauth =
        begin(JSON_HEAD "{\"access_token\":\"t%zu\",\"token_type\":\"bearer\"}", PATIENCE_US);
    struct error err;

    CHECK_STR(str_from_c(granted(oauth, &err)), "Bearer t1 #1");
    CHECK(strstr(server.seen, "POST /token HTTP/1.1\r\n"));
    CHECK(strstr(server.seen, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    /* printf 'me%%3Aand%%20you:s%%2B%%20c' | base64 */
    CHECK(strstr(server.seen, "\r\nAuthorization: Basic bWUlM0FhbmQlMjB5b3U6cyUyQiUyMGM=\r\n"));
    CHECK(strstr(server.seen, "\r\n\r\ngrant_type=client_credentials&scope=a%20b"));
    end(oauth);
}

static void a_credential_can_be_in_the_form(void)
{
    struct oauth *oauth = begin_with(JSON_HEAD "{\"access_token\":\"t%zu\"}", PATIENCE_US, true);
    struct error err;

    CHECK_STR(str_from_c(granted(oauth, &err)), "Bearer t1 #1");
    CHECK(!strstr(server.seen, "Authorization"));
    CHECK(strstr(server.seen, "\r\n\r\ngrant_type=client_credentials&scope=a%20b"
                              "&client_id=me%3Aand%20you&client_secret=s%2B%20c"));
    end(oauth);
}

static void a_refused_token_is_granted_to_no_caller(void)
{
    struct oauth *oauth =
        begin(JSON_HEAD "{\"access_token\":\"t%zu\",\"expires_in\":3600}", PATIENCE_US);
    struct error err;

    CHECK_STR(str_from_c(granted(oauth, &err)), "Bearer t1 #1");
    oauth_refuse(oauth, 1);
    CHECK_STR(str_from_c(granted(oauth, &err)), "Bearer t2 #2");
    oauth_refuse(oauth, 1); /* another call had it, too */
    CHECK_STR(str_from_c(granted(oauth, &err)), "Bearer t2 #2");
    CHECK_INT((int64_t)canned_requests(server.canned), 2);
    end(oauth);
}

static void a_token_is_kept(void)
{
    struct oauth *oauth =
        begin(JSON_HEAD "{\"access_token\":\"t%zu\",\"expires_in\":3600}", PATIENCE_US);
    struct error err;

    for (int i = 0; i < 3; i++)
        CHECK_STR(str_from_c(granted(oauth, &err)), "Bearer t1 #1");
    CHECK_INT((int64_t)canned_requests(server.canned), 1);
    end(oauth);
}

/* A token of two seconds is fetched again in its last half second. */
static void a_token_is_renewed_before_its_end(void)
{
    static const char *const answers[] = {
        JSON_HEAD "{\"access_token\":\"t%zu\",\"expires_in\":2}",
        JSON_HEAD "{\"access_token\":\"t%zu\",\"expires_in\":\"2\"}",
    };

    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct oauth *oauth = begin(answers[i], PATIENCE_US);
        struct error err;
        int64_t start_us = clock_monotonic_us();
        int64_t at_us = start_us;

        while (strcmp(granted(oauth, &err), "Bearer t1 #1") == 0 &&
               at_us - start_us < PATIENCE_US) {
            clock_sleep(10 * US_PER_MS);
            at_us = clock_monotonic_us();
        }
        CHECK_STR(str_from_c(granted(oauth, &err)), "Bearer t2 #2");
        CHECK(at_us - start_us >= US_PER_S);
        end(oauth);
    }
}

/* While a new one cannot be had, the old one is used until its end. */
static void a_valid_token_outlives_a_failure(void)
{
    struct oauth *oauth =
        begin(JSON_HEAD "{\"access_token\":\"t%zu\",\"expires_in\":2}", PATIENCE_US);
    struct error err;
    int64_t start_us = clock_monotonic_us();

    CHECK_STR(str_from_c(granted(oauth, &err)), "Bearer t1 #1");
    server.answer = "HTTP/1.1 503 Later\r\nConnection: close\r\n\r\n";
    while (canned_requests(server.canned) < 2 && clock_monotonic_us() - start_us < PATIENCE_US) {
        CHECK_STR(str_from_c(granted(oauth, &err)), "Bearer t1 #1");
        clock_sleep(10 * US_PER_MS);
    }
    clock_sleep(start_us + 2 * US_PER_S + 50 * US_PER_MS - clock_monotonic_us());
    CHECK_STR(str_from_c(granted(oauth, &err)), "");
    CHECK_INT(err.code, ERR_UNREACHABLE);
    end(oauth);
}

static void a_failure_has_a_cause(void)
{
    static const struct {
        const char *answer;
        enum err_code code;
        const char *text;
    } cases[] = {
        { "HTTP/1.1 401 No\r\nConnection: close\r\n\r\n{\"error\":\"invalid_client\"}", ERR_CONFIG,
          "token_url: answered 401: invalid_client" },
        { "HTTP/1.1 400 No\r\nConnection: close\r\n\r\n{\"error\":\"<b> it \"}", ERR_CONFIG,
          "token_url: answered 400: no token" },
        { "HTTP/1.1 404 No\r\nConnection: close\r\n\r\nnothing", ERR_CONFIG,
          "token_url: answered 404: no token" },
        { "HTTP/1.1 302 No\r\nConnection: close\r\n\r\n", ERR_CONFIG,
          "token_url: answered 302: no token" },
        { "HTTP/1.1 429 No\r\nConnection: close\r\n\r\n", ERR_UNREACHABLE,
          "token_url: answered 429: no token" },
        { "HTTP/1.1 500 No\r\nConnection: close\r\n\r\n[]", ERR_UNREACHABLE,
          "token_url: answered 500: no token" },
        { JSON_HEAD "{}", ERR_CONFIG,
          "token_url: the answer has no access_token that a header can carry" },
        { JSON_HEAD "{\"access_token\":\"a\\r\\nb\"}", ERR_CONFIG,
          "token_url: the answer has no access_token that a header can carry" },
        { JSON_HEAD "hello", ERR_CONFIG,
          "token_url: the answer has no access_token that a header can carry" },
        { JSON_HEAD "{\"access_token\":\"a\",\"token_type\":\"mac\"}", ERR_CONFIG,
          "token_url: the token_type is not Bearer" },
        { JSON_HEAD "{\"access_token\":\"a\",\"expires_in\":-1}", ERR_UNREACHABLE,
          "token_url: the token has expired" },
        { "", ERR_UNREACHABLE, "token_url: the connection ended without an answer" },
        { NULL, ERR_UNREACHABLE, "token_url: no whole answer in time" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct oauth *oauth = begin(cases[i].answer, cases[i].answer ? PATIENCE_US : 50000);
        struct error err;

        TEST_CASE(cases[i].text);
        CHECK_STR(str_from_c(granted(oauth, &err)), "");
        CHECK_INT(err.code, cases[i].code);
        CHECK_STR(str_from_c(err.text), cases[i].text);
        end(oauth);
    }
}

static void a_secret_is_read_for_each_token(void)
{
    struct oauth *oauth = begin(JSON_HEAD "{\"access_token\":\"t%zu\"}", PATIENCE_US);
    struct error err;

    folder_remove(&folder, "secret");
    CHECK_STR(str_from_c(granted(oauth, &err)), "");
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK(strstr(err.text, secret_path));
    folder_write(&folder, "secret", STR("s+ c\n"));
    CHECK_STR(str_from_c(granted(oauth, &err)), "Bearer t1 #1");
    end(oauth);
}

static void a_certificate_that_cannot_be_used_is_a_fault_of_the_configuration(void)
{
    char url[URL_SIZE];
    struct oauth *listens = begin(NULL, PATIENCE_US);
    struct oauth *oauth;
    struct error err;

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", canned_port(server.canned));
    oauth = oauth_create(&(struct oauth_options){ .token_url = url,
                                                  .client_id = "c",
                                                  .client_secret_file = secret_path,
                                                  .scope = "",
                                                  .ca_file = "/nowhere/ca.pem",
                                                  .timeout_us = PATIENCE_US });
    CHECK_STR(str_from_c(granted(oauth, &err)), "");
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK_STR(str_from_c(err.text), "token_url: the CA file cannot be used");
    oauth_destroy(oauth);
    end(listens);
}

struct call {
    struct oauth *oauth;
    pthread_t thread;
    char text[ERR_TEXT_SIZE];
};

static void *call(void *self)
{
    struct call *made = self;
    struct oauth_grant grant;
    struct error err = { 0 };

    if (oauth_authorize(made->oauth, &grant, &err)) {
        (void)snprintf(made->text, sizeof(made->text), "%.*s", STR_ARG(grant.authorization));
        secret_free(grant.authorization);
    } else {
        (void)snprintf(made->text, sizeof(made->text), "%s", err.text);
    }
    return NULL;
}

static bool has_request(void *self)
{
    (void)self;
    return canned_requests(server.canned) > 0;
}

static void several_callers_share_one_fetch(void)
{
    static const struct {
        const char *answer;
        const char *result;
    } cases[] = {
        { JSON_HEAD "{\"access_token\":\"t%zu\"}", "Bearer t1" },
        { "HTTP/1.1 401 No\r\nConnection: close\r\n\r\n", "token_url: answered 401: no token" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct call calls[CALLERS];
        struct oauth *oauth = begin(cases[i].answer, PATIENCE_US);

        TEST_CASE(cases[i].result);
        server.must_wait = true;
        for (size_t j = 0; j < CALLERS; j++) {
            calls[j].oauth = oauth;
            assert(pthread_create(&calls[j].thread, NULL, call, &calls[j]) == 0);
        }
        CHECK(wait_until(has_request, NULL));
        clock_sleep(100 * US_PER_MS); /* so that the others wait */
        server.must_wait = false;
        for (size_t j = 0; j < CALLERS; j++) {
            (void)pthread_join(calls[j].thread, NULL);
            CHECK_STR(str_from_c(calls[j].text), cases[i].result);
        }
        CHECK_INT((int64_t)canned_requests(server.canned), 1);
        end(oauth);
    }
}

static void a_fetch_is_interrupted(void)
{
    struct oauth *oauth = begin(NULL, PATIENCE_US);
    int64_t before_us = clock_monotonic_us();
    struct call made = { .oauth = oauth };

    assert(pthread_create(&made.thread, NULL, call, &made) == 0);
    CHECK(wait_until(has_request, NULL));
    oauth_interrupt(oauth);
    (void)pthread_join(made.thread, NULL);
    CHECK_STR(str_from_c(made.text), "token_url: interrupted");
    CHECK(clock_monotonic_us() - before_us < PATIENCE_US);
    end(oauth);
}

int main(void)
{
    struct error err = { 0 };

    (void)signal(SIGPIPE, SIG_IGN);
    CHECK(fetch_init(&err));
    folder_init(&folder);
    folder_path(&folder, "secret", secret_path);
    folder_write(&folder, "secret", STR("s+ c\n"));
    RUN(asks_as_the_standard_says);
    RUN(a_credential_can_be_in_the_form);
    RUN(a_refused_token_is_granted_to_no_caller);
    RUN(a_token_is_kept);
    RUN(a_token_is_renewed_before_its_end);
    RUN(a_valid_token_outlives_a_failure);
    RUN(a_failure_has_a_cause);
    RUN(a_secret_is_read_for_each_token);
    RUN(a_certificate_that_cannot_be_used_is_a_fault_of_the_configuration);
    RUN(several_callers_share_one_fetch);
    RUN(a_fetch_is_interrupted);
    folder_done(&folder);
    return test_end();
}
