/*
 * test_sinks.c - claims about server/sinks.h: the configured sinks deliver, also after the
 * configuration is destroyed.
 */
#include "server/sinks.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/unit/load_config.h"
#include "tests/unit/scratch.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

static struct store store;

static struct sinks *create(const char *yaml)
{
    struct config *config;
    struct sinks *sinks = NULL;
    struct error err = { 0 };

    assert(load_config(scratch_file(yaml), &config, &err));
    CHECK(sinks_create(config, NULL, &sinks, &err));
    CHECK_STR(str_from_c(err.text), "");
    config_destroy(config);
    scratch_close();
    return sinks;
}

static bool all_failed_or_delivered(void *self)
{
    (void)self;
    return store_sink(&store, "archive")->delivered == 1;
}

static void each_configured_sink_has_a_pump(void)
{
    static const char *const names[] = { "archive", "hook" };
    struct sinks *sinks;
    struct error err = { 0 };
    char path[FOLDER_PATH_SIZE];
    char yaml[1000];
    size_t count = 0;

    store_init(&store);
    store.options.sinks = names;
    store.options.sink_count = COUNT_OF(names);
    store_open(&store);
    folder_path(&store.folder, "records", path);
    (void)snprintf(yaml, sizeof(yaml),
                   "store: {path: x}\n"
                   "sinks:\n"
                   "  - {name: archive, kind: file, path: %s}\n"
                   "  - {name: hook, kind: http, url: 'http://127.0.0.1:1/', headers: {a: b},\n"
                   "     secret_headers: {c: /dev/null, d: 'env:SLUICE_TEST_SECRET'},\n"
                   "     compression: gzip}\n",
                   path);
    sinks = create(yaml);
    CHECK_STR(str_from_c(pump_name(sinks_pumps(sinks, &count)[0])), "archive");
    CHECK_STR(str_from_c(pump_name(sinks_pumps(sinks, &count)[1])), "hook");
    CHECK_INT((int64_t)count, 2);
    CHECK(sinks_start(sinks, store.outbox, &err));
    store_fill(&store, "a", 1);
    CHECK(wait_until(all_failed_or_delivered, NULL));
    CHECK_INT(store_sink(&store, "hook")->pending, 1); /* the sink is not reachable */
    sinks_reopen(sinks);
    sinks_stop(sinks, 1000000);
    CHECK(access(path, F_OK) == 0);
    sinks_destroy(sinks);
    store_done(&store);
}

static void a_store_that_does_not_know_them_refuses(void)
{
    struct sinks *sinks = create("store: {path: x}\nsinks: [{name: b, kind: file, path: y}]\n");
    struct error err = { 0 };

    store_init(&store);
    store_open(&store);
    CHECK(!sinks_start(sinks, store.outbox, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    sinks_destroy(sinks);
    sinks_destroy(NULL);
    store_done(&store);
}

static void no_sinks_are_fine(void)
{
    struct sinks *sinks = create("store: {path: x}\n");
    struct error err = { 0 };
    size_t count = 1;

    (void)sinks_pumps(sinks, &count);
    CHECK_INT((int64_t)count, 0);
    CHECK(sinks_start(sinks, NULL, &err));
    sinks_reopen(sinks);
    sinks_stop(sinks, 0);
    sinks_destroy(sinks);
}

int main(void)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
    (void)setenv("SLUICE_TEST_SECRET", "secret", 1);
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(each_configured_sink_has_a_pump);
    RUN(a_store_that_does_not_know_them_refuses);
    RUN(no_sinks_are_fine);
    return test_end();
}
