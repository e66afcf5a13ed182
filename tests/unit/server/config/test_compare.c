/*
 * test_compare.c - claims about config_reload(), config_is_same() and shared configurations.
 */
#include "server/config/config.h"

#include "tests/unit/load_config.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static struct config *load(const char *yaml)
{
    struct config *config = NULL;
    struct error err = { 0 };

    CHECK(load_config(scratch_file(yaml), &config, &err));
    CHECK_STR(str_from_c(err.text), "");
    scratch_close();
    return config;
}

static const struct {
    const char *before;
    const char *after;
    const char *problem; /* behind the file's name and the line; NULL: none */
} cases[] = {
    { "", "", NULL },
    { "", "http: {listen: '127.0.0.1:8080'}\n", NULL }, /* the default, spelled out */
    { "http: {listen: '127.0.0.1:1'}\n", "http:\n  listen: 127.0.0.1:2\n",
      "2: http.listen: cannot change while the server runs: restart it" },
    { "http: {threads: 1}\n", "",
      "1: http.threads: cannot change while the server runs: restart it" },
    { "", "\n\nhttp: {tls: {cert_file: /dev/null, key_file: /dev/null}}\n",
      "3: http.tls: cannot be switched on or off while the server runs: restart it" },
    { "http: {tls: {cert_file: /dev/null, key_file: /dev/null}}\n",
      "http: {tls: {cert_file: /dev/zero, key_file: /dev/zero}}\n", NULL },
    { "", "store: {dedup_window: 1h}\n",
      "1: store.dedup_window: cannot change while the server runs: restart it" },
    { "log: {format: text}\n", "log: {format: json}\n",
      "1: log.format: cannot change while the server runs: restart it" },
    { "", "log: {level: debug}\n", NULL },
    { "", "http: {respond: receipt, max_batch: 3, batch_response: partial, drain_delay: 1s}\n",
      NULL },
    { "", "validation: {redact_values: false, budget: 1s}\nstatus_map: eventbridge\n", NULL },
    { "", "auth: {open: true}\n", NULL },
    { "", "auth: {api_keys: [{value_file: /nonexistent}]}\n",
      "1: auth.api_keys[0].value_file: /nonexistent: No such file or directory" },
    { "", "http: {nothing: 1, threads: 3}\n", "1: http.nothing: unknown key" },
};

static void fixed_keys_are_named(void)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct config *running = load(cases[i].before);
        struct config *next = NULL;
        struct error err = { 0 };
        const char *path = scratch_file(cases[i].after);

        TEST_CASE(cases[i].after);
        CHECK(config_reload(path, running, &next, &err) == (cases[i].problem == NULL));
        CHECK((next == NULL) == (cases[i].problem != NULL));
        if (cases[i].problem) {
            CHECK_INT(err.code, ERR_CONFIG);
            CHECK_STR(str_from(str_from_c(err.text), strlen(path) + 1), cases[i].problem);
        }
        scratch_close();
        config_destroy(next);
        config_destroy(running);
    }
}

static void what_schemas_depend_on_is_a_group(void)
{
    static const struct {
        const char *after;
        bool same;
    } rows[] = {
        { "", true },
        { "auth: {open: true}\nlog: {level: debug}\n", true },
        { "registry: {refresh: 60s}\n", true },
        { "registry: {refresh: 61s}\n", false },
        { "registry: {dir: elsewhere}\n", false },
        { "registry: {guard: off}\n", false },
        { "validation: {assert_formats: true}\n", false },
        { "validation: {max_errors: 1}\n", true },
        { "aws: {region: eu-central-1}\n", false },
    };
    struct config *running = load("");

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config *next = load(rows[i].after);

        TEST_CASE(rows[i].after);
        CHECK(config_is_same(running, next, CONFIG_SCHEMAS) == rows[i].same);
        config_destroy(next);
    }
    config_destroy(running);
}

static void the_last_owner_frees_it(void)
{
    struct config *config = load("log: {level: warn}\n");
    struct config *shared = config_share(config);

    CHECK(shared == config);
    config_destroy(config);
    CHECK_INT(shared->log.level, LOG_WARN);
    config_destroy(shared);
    config_destroy(NULL);
}

int main(void)
{
    RUN(fixed_keys_are_named);
    RUN(what_schemas_depend_on_is_a_group);
    RUN(the_last_owner_frees_it);
    return test_end();
}
