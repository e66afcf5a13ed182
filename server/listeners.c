/*
 * listeners.c - see listeners.h.
 */
#include "server/listeners.h"

#include <stdio.h>

#include "base/log.h"
#include "base/str.h"
#include "server/http/mhd.h"

static struct listener listener_of(const struct config_address *address)
{
    struct listener listener = { .at = { .port = address->port, .loopback = address->loopback } };

    (void)snprintf(listener.at.host, sizeof(listener.at.host), "%s", address->host);
    return listener;
}

static bool take_socket(struct systemd *systemd, const char *name, struct listener *listener,
                        struct error *err)
{
    int fd;

    if (!systemd_take_socket(systemd, name, &fd, err))
        return false;
    if (fd >= 0)
        *listener = (struct listener){ http_listen_place(fd), fd };
    return true;
}

/* The configuration has been checked for its own addresses; these may be the service manager's. */
static bool check_exposure(const struct config *config, const struct listener *listener,
                           struct error *err)
{
    if (listener->at.loopback)
        return true;
    if (config_admits_nobody(config))
        return fail(err, ERR_CONFIG,
                    "%s port %u is reachable from other machines and no credential is configured: "
                    "add one under auth, or set auth.open: true to let anyone in",
                    listener->at.host, (unsigned)listener->at.port);
    return true;
}

bool listeners_check(const struct listeners *listeners, const struct config *config,
                     struct error *err)
{
    return check_exposure(config, &listeners->main, err) &&
           (!listeners->own_metrics || check_exposure(config, &listeners->metrics, err));
}

static void warn_of_library(const struct listeners *listeners, const struct config *config)
{
    const char *version = http_mhd_version();
    bool exposed = !listeners->main.at.loopback ||
                   (listeners->own_metrics && !listeners->metrics.at.loopback) ||
                   (listeners->has_admin && !listeners->admin.at.loopback);

    if (exposed && !http_mhd_is_safe(version) && !config->http.accept_unsafe_library)
        LOG_EVENT(LOG_WARN, "unsafe_library", LOG_STR("libmicrohttpd", str_from_c(version)),
                  LOG_STR("reason", STR("requests are kept from its known faults; 1.0.10 and later "
                                        "versions do not have them")));
}

bool listeners_find(const struct config *config, struct systemd *systemd, struct listeners *out,
                    struct error *err)
{
    struct listeners listeners = {
        .main = listener_of(&config->http.listen),
        .metrics = listener_of(&config->http.metrics_listen),
        .admin = listener_of(&config->admin.listen),
    };

    if (!take_socket(systemd, "metrics", &listeners.metrics, err) ||
        !take_socket(systemd, "admin", &listeners.admin, err) ||
        !take_socket(systemd, NULL, &listeners.main, err) || !systemd_check_taken(systemd, err))
        return false;
    listeners.own_metrics = listeners.metrics.socket || *config->http.metrics_listen.text;
    listeners.has_admin = listeners.admin.socket || *config->admin.listen.text;
    if (listeners.has_admin && listeners.own_metrics)
        return fail(err, ERR_CONFIG, "sockets for both metrics and admin, which serves /metrics");
    if (!listeners_check(&listeners, config, err))
        return false;
    warn_of_library(&listeners, config);
    *out = listeners;
    return true;
}
