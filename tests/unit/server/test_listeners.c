/*
 * test_listeners.c - claims about server/listeners.h.
 */
#include "server/listeners.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"
#include "tests/unit/load_config.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static struct config *load(const char *yaml)
{
    struct config *config = NULL;
    struct error err;
    bool ok = load_config(scratch_file(yaml), &config, &err);

    scratch_close();
    assert(ok);
    return ok ? config : NULL;
}

static void set(const char *name, const char *value)
{
    assert(setenv(name, value, 1) == 0); /* NOLINT(concurrency-mt-unsafe): the only thread */
}

/* Sockets as the service manager opens them: descriptors 3 and 4. */
static void put_sockets(const char *const *addresses, const char *names)
{
    char text[16];
    int count = 0;

    for (; addresses[count]; count++) {
        struct error err;
        uint16_t port;
        int fd = -1;
        const struct http_listener listener = { .address = addresses[count] };

        assert(http_listen(&listener, &fd, &port, &err));
        if (fd == 3 + count)
            continue;
        assert(dup2(fd, 3 + count) == 3 + count);
        (void)close(fd);
    }
    (void)snprintf(text, sizeof(text), "%d", (int)getpid());
    set("LISTEN_PID", text);
    (void)snprintf(text, sizeof(text), "%d", count);
    set("LISTEN_FDS", text);
    set("LISTEN_FDNAMES", names);
}

static void takes_addresses_from_the_configuration(void)
{
    struct config *config = load("http: {listen: '[::1]:81', metrics_listen: '127.0.0.1:82'}\n");
    struct systemd *systemd = systemd_create();
    struct listeners listeners;
    struct error err = { 0 };

    CHECK(listeners_find(config, systemd, &listeners, &err));
    CHECK_STR(str_from_c(listeners.main.at.host), "::1");
    CHECK_INT(listeners.main.at.port, 81);
    CHECK_INT(listeners.main.socket, 0);
    CHECK(listeners.own_metrics);
    CHECK_INT(listeners.metrics.at.port, 82);
    systemd_destroy(systemd);
    config_destroy(config);

    config = load("{}\n");
    systemd = systemd_create();
    CHECK(listeners_find(config, systemd, &listeners, &err));
    CHECK(!listeners.own_metrics);
    systemd_destroy(systemd);
    config_destroy(config);
}

static void the_managers_sockets_come_first(void)
{
    static const char *const addresses[] = { "127.0.0.1", "127.0.0.2", NULL };
    struct config *config = load("http: {listen: '127.0.0.1:81'}\n");
    struct listeners listeners;
    struct error err = { 0 };

    put_sockets(addresses, "metrics:sluice.socket");

    struct systemd *systemd = systemd_create();

    CHECK(listeners_find(config, systemd, &listeners, &err));
    CHECK_STR(str_from_c(listeners.main.at.host), "127.0.0.2");
    CHECK(listeners.main.at.port != 0 && listeners.main.at.port != 81);
    CHECK_INT(listeners.main.socket, 4);
    CHECK(listeners.own_metrics);
    CHECK_INT(listeners.metrics.socket, 3);
    CHECK(listeners.main.at.loopback && listeners.metrics.at.loopback);
    CHECK(close(3) == 0 && close(4) == 0);
    systemd_destroy(systemd);
    config_destroy(config);
}

static void an_exposed_socket_needs_a_credential_too(void)
{
    static const struct {
        const char *address;
        const char *yaml;
        bool ok;
    } cases[] = {
        { "0.0.0.0", "{}\n", false },
        { "::", "{}\n", false },
        { "0.0.0.0", "auth: {open: true}\n", true },
        { "0.0.0.0", "auth: {api_keys: [{value_file: /dev/null}]}\n", true },
        { "127.3.2.1", "{}\n", true },
        { "::ffff:127.0.0.1", "{}\n", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *const addresses[] = { cases[i].address, NULL };
        struct config *config = load(cases[i].yaml);
        struct listeners listeners;
        struct error err = { 0 };

        TEST_CASE(cases[i].address);
        put_sockets(addresses, "x");

        struct systemd *systemd = systemd_create();

        CHECK(listeners_find(config, systemd, &listeners, &err) == cases[i].ok);
        if (!cases[i].ok) {
            CHECK_INT(err.code, ERR_CONFIG);
            CHECK(strstr(err.text, "no credential is configured") != NULL);
        }
        systemd_destroy(systemd);
        (void)close(3);
        config_destroy(config);
    }
}

int main(void)
{
    RUN(the_managers_sockets_come_first);
    RUN(an_exposed_socket_needs_a_credential_too);
    RUN(takes_addresses_from_the_configuration);
    return test_end();
}
