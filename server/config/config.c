/*
 * config.c - see config.h.
 *
 * Only this file of the server reads the environment.
 */
#include "server/config/config.h"

#include <stdlib.h>

#include "base/embed.h"
#include "base/memory.h"
#include "server/config/config_internal.h"
#include "settings/interpolate.h"

EMBED(sluice_schema, "conf/sluice.schema.json");

struct str config_schema_text(void)
{
    return EMBEDDED(sluice_schema);
}

static const char *environment(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): the environment is never changed */
}

const char *config_path(const char *option)
{
    const char *path = environment("SLUICE_CONFIG");

    if (option)
        return option;
    return path && *path ? path : NULL;
}

const char *config_lambda_loss(void)
{
    return config_lambda_risk(environment("AWS_LAMBDA_RUNTIME_API"),
                              environment("AWS_LWA_ERROR_STATUS_CODES"));
}

static bool expand(void *self, struct str text, struct buf *out, struct error *err)
{
    (void)self;
    return interpolate(text, environment, out, err);
}

/* `running`: a server in operation must not wait for a pipe's writer. */
static bool open_review(const char *path, bool running, struct config_review **out,
                        struct error *err)
{
    struct yaml_options options = { .file = path, .regular = running, .expand = expand };
    struct settings *settings;
    struct config *config;

    if (!settings_load(&options, config_schema_text(), &settings, err))
        return false;
    config = mem_alloc(sizeof(*config));
    config->arena = arena_create();
    config->owners = mem_alloc(sizeof(*config->owners));
    *config->owners = 1;
    config->file = path ? arena_copy(config->arena, str_from_c(path)).ptr : "";
    config_read(settings, config);
    config_take_secrets(settings, config);
    config_remember(settings, config);
    config_list_own_files(config);
    config_rules(settings, config);
    *out = mem_alloc(sizeof(**out));
    **out = (struct config_review){ settings, config };
    return true;
}

bool config_review_open(const char *path, struct config_review **out, struct error *err)
{
    return open_review(path, false, out, err);
}

void config_review_close(struct config_review *review)
{
    if (!review)
        return;
    config_destroy(review->config);
    settings_destroy(review->settings);
    mem_free(review);
}

void config_review_lint(struct config_review *review)
{
    config_check_routes(review->settings, review->config);
}

void config_review_files(struct config_review *review, enum config_files files)
{
    config_check_files(review->settings, review->config, files);
}

bool config_review_take(struct config_review *review, struct config **out)
{
    if (settings_problem_count(review->settings) > 0)
        return false;
    *out = review->config;
    review->config = NULL;
    return true;
}

bool config_reload(const char *path, const struct config *running, struct config **out,
                   struct error *err)
{
    struct config_review *review;
    bool ok;

    if (!open_review(path, true, &review, err))
        return false;
    config_review_files(review, CONFIG_FILES_ALL);
    if (settings_problem_count(review->settings) == 0)
        config_check_fixed(review->settings, review->config, running);
    ok = config_review_take(review, out) ||
         fail(err, ERR_CONFIG, "%s", settings_problem(review->settings, 0)->text);
    config_review_close(review);
    return ok;
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
