/*
 * scripted.c - see scripted.h.
 */
#include "tests/unit/scripted.h"

#include <stdio.h>

#include "base/memory.h"
#include "tests/unit/wait.h"

void scripted_init(struct scripted *script)
{
    *script = (struct scripted){ 0 };
    (void)pthread_mutex_init(&script->mutex, NULL);
    (void)pthread_cond_init(&script->changed, NULL);
    scripted_give(script, "1", "{}");
}

void scripted_done(struct scripted *script)
{
    (void)pthread_cond_destroy(&script->changed);
    (void)pthread_mutex_destroy(&script->mutex);
}

static bool fetch(void *self, const struct registry_query *query, struct schema_definition *out,
                  struct error *err)
{
    struct scripted *script = self;
    bool ok;

    (void)pthread_mutex_lock(&script->mutex);
    script->asks++;
    script->inside++;
    script->most = script->inside > script->most ? script->inside : script->most;
    (void)snprintf(script->asked, sizeof(script->asked), "%s",
                   query->version ? query->version : "");
    while (script->closed && !script->interrupted)
        (void)pthread_cond_wait(&script->changed, &script->mutex);
    script->inside--;
    ok = script->error.code == ERR_NONE && !script->interrupted;
    if (ok) {
        size_t len = strlen(script->definition);

        out->text = (struct str){ mem_copy(script->definition, len), len };
        memcpy(out->version, script->version, sizeof(out->version));
    } else {
        *err = script->error;
        if (script->interrupted)
            (void)fail(err, ERR_UNREACHABLE, "interrupted");
    }
    (void)pthread_mutex_unlock(&script->mutex);
    return ok;
}

static void interrupt(void *self)
{
    struct scripted *script = self;

    (void)pthread_mutex_lock(&script->mutex);
    script->interrupted = true;
    (void)pthread_cond_broadcast(&script->changed);
    (void)pthread_mutex_unlock(&script->mutex);
}

static void destroy(void *self)
{
    (void)self; /* borrowed */
}

struct registry scripted_registry(struct scripted *script)
{
    return (struct registry){
        .fetch = fetch, .interrupt = interrupt, .destroy = destroy, .self = script
    };
}

void scripted_give(struct scripted *script, const char *version, const char *definition)
{
    (void)pthread_mutex_lock(&script->mutex);
    script->error = (struct error){ 0 };
    (void)snprintf(script->version, sizeof(script->version), "%s", version);
    (void)snprintf(script->definition, sizeof(script->definition), "%s", definition);
    (void)pthread_mutex_unlock(&script->mutex);
}

void scripted_fail(struct scripted *script, enum err_code code, const char *text)
{
    (void)pthread_mutex_lock(&script->mutex);
    (void)fail(&script->error, code, "%s", text);
    (void)pthread_mutex_unlock(&script->mutex);
}

void scripted_close(struct scripted *script, bool closed)
{
    (void)pthread_mutex_lock(&script->mutex);
    script->closed = closed;
    (void)pthread_cond_broadcast(&script->changed);
    (void)pthread_mutex_unlock(&script->mutex);
}

int scripted_asks(struct scripted *script)
{
    (void)pthread_mutex_lock(&script->mutex);

    int asks = script->asks;

    (void)pthread_mutex_unlock(&script->mutex);
    return asks;
}

static bool has_inside(void *self)
{
    struct scripted *script = self;

    (void)pthread_mutex_lock(&script->mutex);

    bool inside = script->inside > 0;

    (void)pthread_mutex_unlock(&script->mutex);
    return inside;
}

bool scripted_await_inside(struct scripted *script)
{
    return wait_until(has_inside, script);
}
