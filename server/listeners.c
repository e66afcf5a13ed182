/*
 * listeners.c - see listeners.h.
 */
#include "server/listeners.h"

#include <stdio.h>

#include "base/log.h"
#include "base/str.h"
#include "server/http/mhd.h"

static struct place place_of(const struct config_address *address)
{
    struct place place = { .at = { .port = address->port, .loopback = address->loopback } };

    (void)snprintf(place.at.host, sizeof(place.at.host), "%s", address->host);
    return place;
}

static bool take_socket(struct systemd *systemd, const char *name, struct place *place,
                        struct error *err)
{
    int fd;

    if (!systemd_take_socket(systemd, name, &fd, err))
        return false;
    if (fd >= 0)
        *place = (struct place){ http_listen_place(fd), fd };
    return true;
}

/* The configuration knows its own addresses only; these may be the manager's. */
static bool check_exposure(const struct config *config, const struct place *place,
                           struct error *err)
{
    if (place->at.loopback)
        return true;
    if (config_admits_nobody(config))
        return fail(err, ERR_CONFIG,
                    "%s port %u is reachable from other machines and no credential is configured: "
                    "add one under auth, or set auth.open: true to let anyone in",
                    place->at.host, (unsigned)place->at.port);
    return true;
}

bool places_permit(const struct places *places, const struct config *config, struct error *err)
{
    return check_exposure(config, &places->listen, err) &&
           (!places->own_metrics || check_exposure(config, &places->metrics, err));
}

static void warn_of_library(const struct places *places, const struct config *config)
{
    const char *version = http_library_version();
    bool exposed =
        !places->listen.at.loopback || (places->own_metrics && !places->metrics.at.loopback);

    if (exposed && !http_library_is_safe(version) && !config->http.accept_unsafe_library)
        LOG_EVENT(LOG_WARN, "unsafe_library", LOG_STR("libmicrohttpd", str_from_c(version)),
                  LOG_STR("reason", STR("requests are kept from its known faults; 1.0.10 and later "
                                        "versions do not have them")));
}

bool places_find(const struct config *config, struct systemd *systemd, struct places *out,
                 struct error *err)
{
    struct places places = {
        .listen = place_of(&config->http.listen),
        .metrics = place_of(&config->http.metrics_listen),
    };

    if (!take_socket(systemd, "metrics", &places.metrics, err) ||
        !take_socket(systemd, NULL, &places.listen, err) || !systemd_check_taken(systemd, err))
        return false;
    places.own_metrics = places.metrics.socket || *config->http.metrics_listen.text;
    if (!places_permit(&places, config, err))
        return false;
    warn_of_library(&places, config);
    *out = places;
    return true;
}
