/*
 * config.c - see config.h.
 *
 * The only place of the server that reads the environment.
 */
#include "server/config.h"

#include <stdlib.h>

#include "base/interpolate.h"
#include "base/memory.h"
#include "server/config_parts.h"

static const char *environment(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody changes the environment */
}

const char *config_path(const char *option)
{
    const char *path = environment("SLUICE_CONFIG");

    if (option)
        return option;
    return path && *path ? path : NULL;
}

static bool expand(void *self, struct str text, struct buf *out, struct error *err)
{
    (void)self;
    return interpolate(text, environment, out, err);
}

static void release_settings(struct settings **settings)
{
    settings_destroy(*settings);
}

/*
 * Everything but what happens to the problems, which stay in `*settings`. `running`: a server that
 * serves must not wait for what a pipe brings.
 */
static bool load(const char *path, bool running, struct settings **settings, struct config **out,
                 struct error *err)
{
    struct yaml_options options = { .file = path, .regular = running, .expand = expand };
    struct config *config;

    if (!settings_load(&options, config_schema_text(), settings, err))
        return false;
    config = mem_alloc(sizeof(*config));
    config->arena = arena_create();
    config->owners = mem_alloc(sizeof(*config->owners));
    *config->owners = 1;
    config->file = path ? arena_copy(config->arena, str_from_c(path)).ptr : "";
    config_read(*settings, config);
    config_remember(*settings, config);
    config_rules(*settings, config);
    *out = config;
    return true;
}

/* The configuration, unless there is a problem; then `err` is the first. Takes `config` over. */
static bool finish(const struct settings *settings, struct config *config, struct config **out,
                   struct error *err)
{
    if (settings_problem_count(settings) > 0) {
        config_destroy(config);
        return fail(err, ERR_CONFIG, "%s", settings_problem(settings, 0));
    }
    *out = config;
    return true;
}

bool config_load(const char *path, struct config **out, struct error *err)
{
    CLEANUP(release_settings) struct settings *settings = NULL;
    struct config *config;

    return load(path, false, &settings, &config, err) && finish(settings, config, out, err);
}

bool config_reload(const char *path, const struct config *running, struct config **out,
                   struct error *err)
{
    CLEANUP(release_settings) struct settings *settings = NULL;
    struct config *config;

    if (!load(path, true, &settings, &config, err))
        return false;
    config_check_files(settings, config);
    if (settings_problem_count(settings) == 0)
        config_check_fixed(settings, config, running);
    return finish(settings, config, out, err);
}

bool config_check(const char *path, config_report *report, void *self, struct config **out)
{
    CLEANUP(release_settings) struct settings *settings = NULL;
    struct config *config;
    struct error err = { 0 };

    if (!load(path, false, &settings, &config, &err)) {
        report(self, err.text);
        return false;
    }
    config_check_files(settings, config);
    for (size_t i = 0; i < settings_problem_count(settings); i++)
        report(self, settings_problem(settings, i));
    if (settings_problem_count(settings) > 0) {
        config_destroy(config);
        return false;
    }
    *out = config;
    return true;
}

struct config *config_share(const struct config *config)
{
    ++*config->owners;
    return (struct config *)config;
}

void config_destroy(struct config *config)
{
    if (!config || --*config->owners > 0)
        return;
    mem_free(config->owners);
    arena_destroy(config->arena);
    mem_free(config);
}
