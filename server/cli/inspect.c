/*
 * inspect.c - see inspect.h: the table of checks.
 */
#include "server/cli/inspect.h"

#include <stdarg.h>
#include <stdio.h>

#include "server/cli/control_client.h"
#include "server/cli/inspect_internal.h"
#include "server/service.h"

enum { TEXT_SIZE = 1024 };

void inspect_say(const struct inspection *inspection, enum inspect_finding finding,
                 const char *what, const char *pointer, const char *fmt, ...)
{
    char text[TEXT_SIZE];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    const struct inspect_line line = { finding, what, pointer, text };

    inspection->options->report(inspection->options->self, &line);
}

bool inspect_is_sound(const struct inspection *inspection, const char *pointer)
{
    const struct inspect_options *options = inspection->options;

    return !options->is_sound || options->is_sound(options->self, pointer);
}

/* Does a server run that has this store? False also without a store. */
static bool has_server(const struct config *config)
{
    struct control_client *server =
        *config->store.path ? control_client_open(config->store.path) : NULL;

    control_client_close(server);
    return server != NULL;
}

enum { FOR_CHECK = 1, FOR_DOCTOR = 2, FOR_BOTH = 3 };

static const struct {
    void (*run)(const struct inspection *inspection);
    int use;
} checks[] = {
    { inspect_certificate, FOR_BOTH },
    { inspect_secrets, FOR_BOTH },
    { inspect_keys, FOR_BOTH },
    { inspect_transforms, FOR_BOTH },
    { inspect_routes, FOR_CHECK }, /* a server starts with such mistakes */
    { inspect_schemas, FOR_BOTH },
    { inspect_store, FOR_BOTH },
    { inspect_cache, FOR_BOTH },
    { inspect_sinks, FOR_BOTH },
    { inspect_collector, FOR_DOCTOR },
    { inspect_clock, FOR_DOCTOR }, /* with the answers to the checks before */
    { inspect_library, FOR_BOTH },
    { inspect_lambda, FOR_DOCTOR },
    { inspect_addresses, FOR_DOCTOR },
    { inspect_descriptors, FOR_DOCTOR },
    { inspect_rule, FOR_BOTH },
};

void inspect(const struct config *config, const struct inspect_options *options)
{
    struct inspect_date date = { 0 };
    struct inspection inspection = { .config = config,
                                     .options = options,
                                     .arena = arena_create(),
                                     .date = &date,
                                     .has_server = has_server(config) };

    inspect_load_schemas(&inspection);
    for (size_t i = 0; i < COUNT_OF(checks); i++)
        if (checks[i].use & (options->looks_at_machine ? FOR_DOCTOR : FOR_CHECK))
            checks[i].run(&inspection);
    service_destroy(inspection.schemas);
    arena_destroy(inspection.arena);
}
