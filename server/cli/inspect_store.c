/*
 * inspect_store.c - checks the store's file, and the folder of the schemas' cache.
 */
#include <sys/stat.h>

#include "base/file.h"
#include "delivery/outbox/location.h"
#include "delivery/outbox/outbox.h"
#include "server/cli/inspect_internal.h"

static const char store_pointer[] = "/store/path";

/* What the store may still grow by. */
static uint64_t growth(const struct config_store *store)
{
    struct stat file;
    uint64_t size = stat(store->path, &file) == 0 ? (uint64_t)file.st_size : 0;

    return size < store->max_size ? store->max_size - size : 0;
}

static void look_at_store_file(const struct inspection *inspection,
                               const struct config_store *store)
{
    bool asks = inspection->options->looks_at_machine;
    const char *loss = asks ? location_loss(store->path) : NULL;
    struct error err = { 0 };

    if (!outbox_check(store->path, &err))
        inspect_say(inspection, INSPECT_FAILURE, "store", store_pointer, "%s", err.text);
    else if (asks && !inspection->has_server && location_is_locked(store->path))
        inspect_say(inspection, INSPECT_FAILURE, "store", store_pointer,
                    "%s: the store is in use by another process", store->path);
    else
        inspect_say(inspection, INSPECT_FINE, "store", store_pointer, "%s%s, SQLite %s",
                    store->path, inspection->has_server ? ", open in a server" : "",
                    outbox_library_version());
    if (loss)
        inspect_say(inspection, INSPECT_WARNING, "volume", store_pointer, "%s is on %s",
                    store->path, loss);
    if (err.code == ERR_NONE)
        inspect_disk(inspection, store_pointer, store->path, growth(store));
}

void inspect_store(const struct inspection *inspection)
{
    const struct config *config = inspection->config;

    if (!inspect_is_sound(inspection, "/store"))
        return;
    if (*config->store.path)
        look_at_store_file(inspection, &config->store);
    else if (inspection->options->looks_at_machine) /* check accepts what is configured */
        inspect_say(inspection, INSPECT_WARNING, "store", store_pointer, "none configured: %s",
                    config->sink_count > 0 ? "200 waits for every sink, refused events are lost"
                                           : "200 promises nothing about delivery");
}

void inspect_cache(const struct inspection *inspection)
{
    const struct config_registry *registry = &inspection->config->registry;
    const char *file = arena_printf(inspection->arena, "%s/x", registry->cache_dir).ptr;
    struct error err = { 0 };

    if (!config_needs_cache(registry) || !inspect_is_sound(inspection, "/registry"))
        return;
    if (!file_can_make(file, &err)) {
        inspect_say(inspection, INSPECT_FAILURE, "cache", "/registry/cache_dir", "%s", err.text);
        return;
    }
    inspect_say(inspection, INSPECT_FINE, "cache", "/registry/cache_dir", "%s can be written",
                registry->cache_dir);
    inspect_disk(inspection, "/registry/cache_dir", file, 0);
}
