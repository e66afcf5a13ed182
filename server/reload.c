/*
 * reload.c - see reload.h.
 */
#include "server/reload.h"

#include "base/memory.h"

struct retired {
    struct retired *next;
    struct force force;
    struct http_served *served;
};

void force_end(struct force *force)
{
    service_destroy(force->service);
    config_destroy(force->config);
}

/* The files may have other names now. */
static bool take_certificate(struct http_tls *tls, const struct config_tls *config,
                             struct error *err)
{
    return !tls || http_tls_replace(tls, config->cert_file, config->key_file, err) ||
           fail_within(err, "http.tls");
}

/* Build and start everything. */
static bool prepare(const struct reload_options *options, const struct force *now,
                    struct force *next, struct error *err)
{
    struct service_options building = options->service;

    building.predecessor = now->service;
    return config_reload(options->path, now->config, &next->config, err) &&
           places_permit(options->places, next->config, err) &&
           service_create(next->config, &building, &next->service, err) &&
           service_start(next->service, now->service, err) &&
           (next->service->borrows_catalog || catalog_start(next->service->catalog, err)) &&
           take_certificate(options->tls, &next->config->http.tls, err); /* last: it stays */
}

static struct http_served *exchange(const struct reload_options *options,
                                    const struct service *service)
{
    struct handler handlers[SERVICE_HANDLERS];
    bool own_metrics = options->places->own_metrics;
    const struct http_handlers lists[] = {
        { handlers, (size_t)SERVICE_HANDLERS - own_metrics },
        { &handlers[SERVICE_HANDLERS - 1], 1 },
    };

    service_handlers(service, handlers);
    return http_serve(options->http, lists);
}

bool reload_prepare(const struct reload_options *options, const struct force *now,
                    struct force *next, struct error *err)
{
    struct force prepared = { 0 };

    if (!prepare(options, now, &prepared, err)) {
        force_end(&prepared);
        return false;
    }
    *next = prepared;
    return true;
}

void reload_take(const struct reload_options *options, struct force *force,
                 const struct force *next, struct retired **retired)
{
    struct retired *old = mem_alloc(sizeof(*old));

    old->force = *force;
    old->served = exchange(options, next->service);
    old->next = *retired;
    *retired = old;
    service_succeed(next->service, force->service);
    if (!force->service->borrows_catalog)
        catalog_retire(force->service->catalog);
    *force = *next;
}

static void end(struct retired *retired)
{
    http_served_destroy(retired->served);
    force_end(&retired->force);
    mem_free(retired);
}

size_t retired_count(const struct retired *retired)
{
    return retired ? 1 + retired_count(retired->next) : 0;
}

/* The oldest first: an older one may still use what the next one has taken over from it. */
size_t retired_release(struct retired **retired)
{
    size_t older;

    if (!*retired)
        return 0;
    older = retired_release(&(*retired)->next);
    if (older > 0 || !http_served_is_idle((*retired)->served))
        return older + 1;
    end(*retired);
    *retired = NULL;
    return 0;
}

void retired_stop(struct retired *retired)
{
    for (; retired; retired = retired->next)
        if (!retired->force.service->borrows_catalog)
            catalog_stop(retired->force.service->catalog);
}

void retired_destroy(struct retired *retired)
{
    if (!retired)
        return;
    retired_destroy(retired->next);
    end(retired);
}
