/*
 * aws_world.c - see aws_world.h.
 */
#include "tests/unit/aws_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/config.h"
#include "base/fetch.h"

static const char not_found[] = WORLD_REFUSE("404 Not Found");

static struct str answer(void *self, struct str request, size_t nth)
{
    struct world *world = self;
    size_t len = strlen(world->seen);

    (void)nth;
    (void)snprintf(world->seen + len, sizeof(world->seen) - len, "%.*s\n", STR_ARG(request));
    for (const struct world_answer *at = world->answers; at && at->request; at++)
        if (str_starts_with(request, str_from_c(at->request)))
            return str_from_c(at->answer);
    return str_from_c(not_found);
}

static void forget_environment(void)
{
    char name[100];

    for (char **variable = environ; variable && *variable;) {
        size_t len = strcspn(*variable, "=");

        if (strncmp(*variable, "AWS_", 4) != 0 || len >= sizeof(name)) {
            variable++;
            continue;
        }
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, *variable);
        (void)unsetenv(name); /* NOLINT(concurrency-mt-unsafe): see the header */
        variable = environ;
    }
}

void world_init(struct world *world, const struct world_answer *answers)
{
    memset(world, 0, sizeof(*world));
    folder_init(&world->folder);
    world->answers = answers;
    forget_environment();
    world_set(world, "HOME", "%H");
    world->server = canned_start(NULL, answer, world);
}

void world_stop(struct world *world)
{
    canned_stop(world->server);
}

void world_done(struct world *world)
{
    canned_destroy(world->server);
    folder_done(&world->folder);
}

static void fill(const struct world *world, const char *text, char *out, size_t size)
{
    size_t len = 0;

    for (; *text; text++) {
        if (text[0] == '%' && text[1] == 'U')
            len += (size_t)snprintf(out + len, size - len, "http://127.0.0.1:%d",
                                    canned_port(world->server));
        else if (text[0] == '%' && text[1] == 'H')
            len += (size_t)snprintf(out + len, size - len, "%s", world->folder.path);
        else
            len += (size_t)snprintf(out + len, size - len, "%c", *text);
        text += text[0] == '%' && (text[1] == 'U' || text[1] == 'H');
        assert(len < size);
    }
}

void world_set(const struct world *world, const char *name, const char *value)
{
    char text[2048] = "";

    fill(world, value, text, sizeof(text));
    (void)setenv(name, text, 1); /* NOLINT(concurrency-mt-unsafe): see the header */
}

void world_write(const struct world *world, const char *name, const char *text)
{
    char filled[8192] = "";

    fill(world, text, filled, sizeof(filled));
    folder_write(&world->folder, name, str_from_c(filled));
}

enum aws_found world_ask(const struct world *world, const struct aws_provider *provider,
                         struct aws_credentials *out, struct error *err)
{
    struct aws_providers providers = { .http = fetch_client_create(), .stop_fd = -1 };
    struct aws_config *config = NULL;
    enum aws_found found = AWS_BROKEN;

    (void)world;
    if (aws_config_create(&(struct aws_session_options){ 0 }, &config, err)) {
        providers.config = config;
        found = provider->find(&providers, out, err);
    }
    fetch_client_destroy(providers.http);
    aws_config_destroy(config);
    return found;
}
