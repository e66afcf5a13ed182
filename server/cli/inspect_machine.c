/*
 * inspect_machine.c - checks this machine: HTTP library, addresses, descriptors, disks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/fetch.h"
#include "base/file.h"
#include "delivery/outbox/outbox.h"
#include "server/cli/inspect_internal.h"
#include "server/cli/server_place.h"
#include "server/http/listen.h"
#include "server/http/mhd.h"
#include "server/http/tls.h"

enum {
    MIB = 1024 * 1024,
    DISK_MIN = 16 * MIB,    /* less than this is a full disk */
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

/* Does the server of this configuration listen there? */
static bool is_served(const struct inspection *inspection, const struct config_address *address,
                      bool is_main)
{
    const struct config *config = inspection->config;
    struct control_where where = { .port = address->port,
                                   .tls = is_main && *config->http.tls.cert_file };
    struct fetch_client *client = fetch_client_create();
    struct server_place place;

    (void)snprintf(where.host, sizeof(where.host), "%s", address->host);
    place = server_place_of(config, &where);
    place.wants_proxy_header = place.wants_proxy_header && is_main;

    bool ok = server_place_is_own(client, &place);

    fetch_client_destroy(client);
    return ok;
}

static void look_at_address(const struct inspection *inspection, const char *pointer,
                            const struct config_address *address, bool is_main)
{
    bool may_be_served = inspection->has_server || !*inspection->config->store.path;
    struct error err = { 0 };

    if (!*address->text || !inspect_is_sound(inspection, pointer))
        return;
    if (http_can_listen(address->host, address->port, &err))
        inspect_say(inspection, INSPECT_FINE, "address", pointer, "%s is free", address->text);
    else if (may_be_served && is_served(inspection, address, is_main))
        inspect_say(inspection, INSPECT_FINE, "address", pointer, "a server answers on %s",
                    address->text);
    else
        inspect_say(inspection, INSPECT_FAILURE, "address", pointer, "%s", err.text);
}

void inspect_addresses(const struct inspection *inspection)
{
    const struct config_http *http = &inspection->config->http;

    look_at_address(inspection, "/http/listen", &http->listen, true);
    look_at_address(inspection, "/http/metrics_listen", &http->metrics_listen, false);
    look_at_address(inspection, "/admin/listen", &inspection->config->admin.listen, false);
}

/* As at the start: nothing is said of a listener on loopback. */
static bool is_exposed(const struct config *config)
{
    const struct config_address *admin = &config->admin.listen;
    const struct config_http *http = &config->http;

    return !http->listen.loopback ||
           (*http->metrics_listen.text && !http->metrics_listen.loopback) ||
           (*admin->text && !admin->loopback);
}

void inspect_library(const struct inspection *inspection)
{
    const struct config *config = inspection->config;
    const char *version = http_mhd_version();

    if (inspection->options->looks_at_machine)
        inspect_say(inspection, INSPECT_FINE, "library", "",
                    "libmicrohttpd %s, GnuTLS %s, SQLite %s, %s", version, http_tls_version(),
                    outbox_library_version(), fetch_library_version());
    if (http_mhd_is_safe(version) || !inspect_is_sound(inspection, "/http/listen") ||
        !is_exposed(config) || config->http.accept_unsafe_library)
        return;
    inspect_say(inspection, INSPECT_WARNING, "library", "/http/accept_unsafe_library",
                "libmicrohttpd %s can be crashed by one request: install 1.0.10 or newer, or "
                "listen on loopback behind a proxy",
                version);
}

void inspect_descriptors(const struct inspection *inspection)
{
    int64_t connections = inspection->config->http.max_connections;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return; /* cannot fail with these arguments */
    if (limit.rlim_max < (rlim_t)(connections + OTHER_DESCRIPTORS))
        inspect_say(inspection, INSPECT_WARNING, "descriptors", "/http/max_connections",
                    "this user may have %" PRIu64 " open files, too few for %" PRId64
                    " connections",
                    (uint64_t)limit.rlim_max, connections);
    else
        inspect_say(inspection, INSPECT_FINE, "descriptors", "/http/max_connections",
                    "enough for %" PRId64 " connections", connections);
}

void inspect_lambda(const struct inspection *inspection)
{
    const char *loss = config_lambda_loss();

    if (loss)
        inspect_say(inspection, INSPECT_WARNING, "lambda", "", "%s", loss);
}
