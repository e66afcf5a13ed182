/*
 * test_reload.c - claims about server/reload.h: a new service takes over what it can, and the old
 * one is destroyed after its last request.
 */
#include "server/reload.h"

#include <signal.h>
#include <stdio.h>

#include "base/epoch.h"
#include "base/fetch.h"
#include "base/log.h"
#include "tests/unit/folder.h"
#include "tests/unit/http_client.h"
#include "tests/unit/load_config.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

static struct folder folder;
static char path[FOLDER_PATH_SIZE];
static struct generation current;
static struct retired *retired;
static struct http *http;
static struct listeners listeners;

static size_t none(void *self)
{
    (void)self;
    return 0;
}

static const struct service_options options = { .connections = none, .inflight_bytes = none };

/* A configuration with its registry, a route to `schema`, then `more`. */
static void put_config(const char *schema, const char *more)
{
    char text[4000];

    (void)snprintf(text, sizeof(text),
                   "registry: { dir: %s/schemas }\n"
                   "store: { path: %s/store.db }\n"
                   "routes:\n"
                   "  - { registry: Registry, schema: %s, transform: %s/transform.yaml }\n"
                   "%s",
                   folder.path, folder.path, schema, folder.path, more);
    folder_write(&folder, "sluice.yaml", str_from_c(text));
}

static void begin(void)
{
    struct handler handlers[SERVICE_HANDLERS];
    struct http_listener listener = { .address = "127.0.0.1",
                                      .handlers = { handlers, SERVICE_HANDLERS } };
    struct error err = { 0 };

    folder_init(&folder);
    folder_path(&folder, "sluice.yaml", path);
    folder_write(&folder, "schemas/Registry/A.json", str_from_c(pipeline_schema));
    folder_write(&folder, "schemas/Registry/B.json", str_from_c(pipeline_schema));
    folder_write(&folder, "transform.yaml", str_from_c(pipeline_transform));
    put_config("A", "");
    CHECK(load_config(path, &current.config, &err));
    CHECK(service_create(current.config, &options, &current.service, &err));
    CHECK(outbox_start(current.service->outbox, &err));
    CHECK(service_start(current.service, NULL, &err));
    CHECK(catalog_start(current.service->catalog, &err));
    service_handlers(current.service, handlers);
    CHECK(http_start(&(struct http_options){ .listeners = &listener,
                                             .listener_count = 1,
                                             .threads = 1,
                                             .max_connections = 100,
                                             .max_head = 16384,
                                             .max_body = 10000,
                                             .max_inflight_bytes = 100000,
                                             .deadline_us = 10000000,
                                             .idle_timeout_us = 10000000 },
                     &http, &err));
    CHECK_STR(str_from_c(err.text), "");
    listeners = (struct listeners){ .main = { .at = { .loopback = true } } };
}

static void end(void)
{
    retired_stop(retired);
    catalog_stop(current.service->catalog);
    outbox_stop(current.service->outbox);
    http_stop(http);
    retired_destroy(retired);
    service_destroy(current.service);
    config_destroy(current.config);
    folder_done(&folder);
    retired = NULL;
}

static bool reload(struct error *err)
{
    const struct reload_options reloading = { path, options, &listeners, http, NULL, NULL };

    struct generation next;

    *err = (struct error){ 0 };
    if (!reload_prepare(&reloading, &current, &next, err))
        return false;
    reload_swap(&reloading, &current, &next, &retired);
    epoch_wait();
    return true;
}

static void the_store_and_the_schemas_stay(void)
{
    struct error err;

    begin();

    struct outbox *outbox = current.service->outbox;
    struct catalog *catalog = current.service->catalog;
    struct service *service = current.service;

    put_config("A", "http: { respond: receipt }\n");
    CHECK(reload(&err));
    CHECK(current.service != service);
    CHECK_INT(current.config->http.respond, CONFIG_RESPOND_RECEIPT);
    CHECK(current.service->outbox == outbox && current.service->catalog == catalog);
    CHECK(retired != NULL);
    CHECK(retired_release(&retired) == 0);
    CHECK(retired == NULL);
    CHECK(catalog_count(catalog) == 1);
    end();
}

static void other_schemas_need_another_catalog(void)
{
    struct error err;

    begin();

    struct outbox *outbox = current.service->outbox;

    put_config("B", "");
    CHECK(reload(&err));
    CHECK(current.service->outbox == outbox);

    struct catalog_status status;

    CHECK(catalog_count(current.service->catalog) == 1);
    catalog_status(current.service->catalog, 0, &status);
    CHECK(status.usable);
    CHECK_STR(str_from_c(status.schema), "B");
    CHECK(retired_release(&retired) == 0);
    end();
}

static void failures_change_nothing(void)
{
    static const struct {
        const char *schema;
        const char *more;
        const char *why;
    } cases[] = {
        { "A", "nothing: 1\n", "nothing: unknown key" },
        { "A", "http: { threads: 7 }\n", "http.threads: cannot change" },
        { "A", "sinks: [{ name: a, kind: sqs, queue_url: 'http://127.0.0.1:1/1/q' }]\n",
          "sink a: " },
        { "Missing", "", "schema Registry/Missing: " },
    };
    struct error err;

    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct generation before = current;

        TEST_CASE(cases[i].why);
        put_config(cases[i].schema, cases[i].more);
        CHECK(!reload(&err));
        CHECK(strstr(err.text, cases[i].why) != NULL);
        CHECK(before.config == current.config && before.service == current.service);
        CHECK(retired == NULL);
    }
    TEST_CASE("open to everybody");
    listeners.main.at.loopback = false;
    put_config("A", "");
    CHECK(!reload(&err));
    CHECK(strstr(err.text, "no credential is configured") != NULL);
    end();
}

static bool sinks_have_changed(void *self)
{
    (void)self;
    return sinks_tend(current.service->sinks);
}

static void sinks_come_and_go(void)
{
    struct error err;
    size_t count = 0;

    begin();
    CHECK(sinks_start(current.service->sinks, current.service->sink_set, current.service->outbox,
                      &err));
    put_config("A", "sinks: [{ name: a, kind: file, path: x }]\n");
    CHECK(reload(&err));
    CHECK(sinks_tend(current.service->sinks));
    (void)sink_set_pumps(current.service->sink_set, &count);
    CHECK_INT((int64_t)count, 1);
    CHECK_INT((int64_t)routes_at(current.service->routes, 0)->outputs[0].sinks, 1);
    put_config("A", "");
    CHECK(reload(&err));
    CHECK_INT((int64_t)routes_at(current.service->routes, 0)->outputs[0].sinks, 0);
    CHECK(retired_release(&retired) == 0);
    CHECK(wait_until(sinks_have_changed, NULL));
    end();
}

static bool is_released(void *self)
{
    (void)self;
    return retired_release(&retired) == 0;
}

/* A request whose headers are in holds its service, and those before it. */
static void a_request_holds_its_service(void)
{
    struct http_answer answer;
    struct error err;
    int fd;

    begin();
    fd = http_client_open(http_port(http, 0));
    CHECK(http_client_send(fd, STR("POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                                   "Expect: 100-continue\r\n\r\n")));
    CHECK(http_client_read(fd, &answer));
    CHECK_INT(answer.status, 100);
    for (int i = 0; i < 3; i++) {
        put_config(i == 1 ? "B" : "A", "");
        CHECK(reload(&err));
    }
    CHECK(retired_release(&retired) == 3);
    CHECK(http_client_send(fd, STR("{}")));
    CHECK(http_client_read(fd, &answer));
    CHECK_INT(answer.status, 400);
    http_client_close(fd);
    CHECK(wait_until(is_released, NULL));
    end();
}

int main(void)
{
    struct error err;

    (void)signal(SIGPIPE, SIG_IGN);
    CHECK(fetch_init(&err));
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(the_store_and_the_schemas_stay);
    RUN(other_schemas_need_another_catalog);
    RUN(failures_change_nothing);
    RUN(sinks_come_and_go);
    RUN(a_request_holds_its_service);
    return test_end();
}
