/*
 * inspect_machine.c - checks this machine: HTTP library, addresses, descriptors, disks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "base/file.h"
#include "server/cli/inspect_internal.h"
#include "server/http/listen.h"
#include "server/http/mhd.h"

enum {
    MIB = 1024 * 1024,
    DISK_MIN = 16 * MIB, /* less than this is a full disk */
    ASK_US = 2 * US_PER_S,
    URL_SIZE = 128,
    BODY_MAX = 64 * 1024,
    OK = 200,
    OTHER_DESCRIPTORS = 64, /* beside connections: store, sinks, log, ... */
};

void inspect_disk(const struct inspection *inspection, const char *pointer, const char *path,
                  uint64_t wanted_bytes)
{
    struct error err = { 0 };
    uint64_t bytes;

    if (!file_free_bytes(path, &bytes, &err))
        inspect_say(inspection, INSPECT_FAILURE, "disk", pointer, "%s", err.text);
    else if (bytes < DISK_MIN)
        inspect_say(inspection, INSPECT_FAILURE, "disk", pointer,
                    "the disk is full: %" PRIu64 " MiB are left for %s", bytes / MIB, path);
    else if (inspection->options->looks_at_machine)
        inspect_say(inspection, bytes < wanted_bytes ? INSPECT_WARNING : INSPECT_FINE, "disk",
                    pointer, "%" PRIu64 " MiB are left for %s%s", bytes / MIB, path,
                    bytes < wanted_bytes ? ", less than store.max_size" : "");
}

/* Does a server of this program listen there? */
static bool is_served(const struct config_address *address, bool tls)
{
    struct fetch_client *client = fetch_client_create();
    struct fetch_answer answer;
    struct error err;
    char url[URL_SIZE];
    const struct fetch_request request = { .url = url,
                                           .timeout_us = ASK_US,
                                           .any_certificate = true };

    (void)snprintf(url, sizeof(url), address->ipv6 ? "%s://[%s]:%u/healthz" : "%s://%s:%u/healthz",
                   tls ? "https" : "http", address->host, (unsigned)address->port);
    fetch_answer_init(&answer, BODY_MAX);

    bool ok = fetch_client_run(client, &request, &answer, &err) && answer.status == OK;

    fetch_answer_done(&answer);
    fetch_client_destroy(client);
    return ok;
}

static void look_at_address(const struct inspection *inspection, const char *pointer,
                            const struct config_address *address, bool tls)
{
    struct error err = { 0 };

    if (!*address->text || !inspect_is_sound(inspection, pointer))
        return;
    if (http_can_listen(address->host, address->port, &err))
        inspect_say(inspection, INSPECT_FINE, "address", pointer, "%s is free", address->text);
    else if (is_served(address, tls))
        inspect_say(inspection, INSPECT_FINE, "address", pointer, "a server answers on %s",
                    address->text);
    else
        inspect_say(inspection, INSPECT_FAILURE, "address", pointer, "%s", err.text);
}

static void look_at_addresses(const struct inspection *inspection)
{
    const struct config_http *http = &inspection->config->http;

    look_at_address(inspection, "/http/listen", &http->listen, *http->tls.cert_file);
    look_at_address(inspection, "/http/metrics_listen", &http->metrics_listen, false);
    look_at_address(inspection, "/admin/listen", &inspection->config->admin.listen, false);
}

/* As at the start: nothing is said of a listener on loopback. */
static void look_at_library(const struct inspection *inspection)
{
    const struct config_http *http = &inspection->config->http;
    const char *version = http_mhd_version();
    const struct config_address *admin = &inspection->config->admin.listen;
    bool is_exposed = !http->listen.loopback ||
                      (*http->metrics_listen.text && !http->metrics_listen.loopback) ||
                      (*admin->text && !admin->loopback);

    if (http_mhd_is_safe(version) || !inspect_is_sound(inspection, "/http/listen") || !is_exposed ||
        http->accept_unsafe_library)
        return;
    inspect_say(inspection, INSPECT_WARNING, "library", "/http/accept_unsafe_library",
                "libmicrohttpd %s can be crashed by one request: install 1.0.10 or newer, or "
                "listen on loopback behind a proxy",
                version);
}

static void look_at_descriptors(const struct inspection *inspection)
{
    struct rlimit limit;
    int64_t wanted = inspection->config->http.max_connections + OTHER_DESCRIPTORS;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max >= (rlim_t)wanted)
        return;
    inspect_say(inspection, INSPECT_WARNING, "descriptors", "/http/max_connections",
                "this user may have %" PRIu64 " open files, too few for %" PRId64 " connections",
                (uint64_t)limit.rlim_max, inspection->config->http.max_connections);
}

static void look_at_lambda(const struct inspection *inspection)
{
    const char *loss = config_lambda_loss();

    if (loss)
        inspect_say(inspection, INSPECT_WARNING, "lambda", "", "%s", loss);
}

void inspect_machine(const struct inspection *inspection)
{
    look_at_library(inspection);
    if (!inspection->options->looks_at_machine)
        return;
    look_at_lambda(inspection);
    look_at_addresses(inspection);
    look_at_descriptors(inspection);
}
