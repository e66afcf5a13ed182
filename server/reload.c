/*
 * reload.c - see reload.h.
 */
#include "server/reload.h"

#include "base/memory.h"

struct retired {
    struct retired *next;
    struct generation generation;
    struct http_handler_set *handlers;
    struct http_handler_set *admin_handlers; /* NULL: there is no admin address */
};

void generation_destroy(struct generation *generation)
{
    service_destroy(generation->service);
    config_destroy(generation->config);
}

/* Before the store learns of new sinks, which stay there. */
static bool check_certificate(const struct http_tls *tls, const struct config_tls *config,
                              struct error *err)
{
    return !tls || http_tls_check(config->cert_file, config->key_file, err) ||
           fail_within(err, "http.tls");
}

/* The names of the files may have changed. */
static bool replace_certificate(struct http_tls *tls, const struct config_tls *config,
                                struct error *err)
{
    return !tls || http_tls_replace(tls, config->cert_file, config->key_file, err) ||
           fail_within(err, "http.tls");
}

static bool build(const struct reload_options *options, const struct generation *now,
                  struct generation *next, struct error *err)
{
    struct service_options service = options->service;

    service.predecessor = now->service;
    return config_reload(options->path, now->config, &next->config, err) &&
           listeners_check(options->listeners, next->config, err) &&
           service_create(next->config, &service, &next->service, err) &&
           service_start(next->service, now->service, err) &&
           (next->service->borrows_catalog || catalog_start(next->service->catalog, err)) &&
           check_certificate(options->tls, &next->config->http.tls, err) &&
           service_add_sinks(next->service, now->service, next->config, err) &&
           replace_certificate(options->tls, &next->config->http.tls,
                               err); /* last: cannot be undone */
}

static struct http_handler_set *swap_handlers(const struct reload_options *options,
                                              const struct service *service)
{
    struct handler handlers[SERVICE_HANDLERS];
    bool own_metrics = options->listeners->own_metrics;
    bool moves_metrics = own_metrics || options->listeners->has_admin;
    const struct http_handlers lists[] = {
        { handlers, (size_t)SERVICE_HANDLERS - moves_metrics },
        { &handlers[SERVICE_HANDLERS - 1], 1 },
    };

    service_handlers(service, handlers);
    return http_replace_handlers(options->http, lists);
}

static struct http_handler_set *swap_admin_handlers(const struct reload_options *options,
                                                    const struct service *service)
{
    struct handler handlers[SERVICE_ADMIN_HANDLERS];
    const struct http_handlers list = { handlers, COUNT_OF(handlers) };

    if (!options->admin)
        return NULL;
    service_admin_handlers(service, handlers);
    return http_replace_handlers(options->admin, &list);
}

bool reload_prepare(const struct reload_options *options, const struct generation *now,
                    struct generation *next, struct error *err)
{
    struct generation prepared = { 0 };

    if (!build(options, now, &prepared, err)) {
        generation_destroy(&prepared);
        return false;
    }
    *next = prepared;
    return true;
}

void reload_swap(const struct reload_options *options, struct generation *current,
                 const struct generation *next, struct retired **retired)
{
    struct retired *old = mem_alloc(sizeof(*old));

    old->generation = *current;
    old->handlers = swap_handlers(options, next->service);
    old->admin_handlers = swap_admin_handlers(options, next->service);
    old->next = *retired;
    *retired = old;
    service_succeed(next->service, current->service);
    if (next->service->sinks)
        sinks_use(next->service->sinks, next->service->sink_set);
    if (!current->service->borrows_catalog)
        catalog_retire(current->service->catalog);
    *current = *next;
}

static void retired_end(struct retired *retired)
{
    http_handler_set_destroy(retired->handlers);
    http_handler_set_destroy(retired->admin_handlers);
    generation_destroy(&retired->generation);
    mem_free(retired);
}

size_t retired_count(const struct retired *retired)
{
    return retired ? 1 + retired_count(retired->next) : 0;
}

/* The oldest first: it may still use what the next one has taken over from it. */
size_t retired_release(struct retired **retired)
{
    size_t older;

    if (!*retired)
        return 0;
    older = retired_release(&(*retired)->next);
    if (older > 0 || !http_handler_set_is_idle((*retired)->handlers) ||
        ((*retired)->admin_handlers && !http_handler_set_is_idle((*retired)->admin_handlers)))
        return older + 1;
    retired_end(*retired);
    *retired = NULL;
    return 0;
}

void retired_stop(struct retired *retired)
{
    for (; retired; retired = retired->next)
        if (!retired->generation.service->borrows_catalog)
            catalog_stop(retired->generation.service->catalog);
}

void retired_destroy(struct retired *retired)
{
    if (!retired)
        return;
    retired_destroy(retired->next);
    retired_end(retired);
}
