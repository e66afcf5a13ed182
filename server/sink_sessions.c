/*
 * sink_sessions.c - see sink_sessions.h.
 */
#include "server/sink_sessions.h"

#include "base/buf.h"
#include "base/memory.h"

/* A copy of the first text that is not empty. */
static const char *copy_first(struct arena *arena, const char *own, const char *other)
{
    return arena_copy(arena, str_from_c(*own ? own : other)).ptr;
}

struct aws_session_options sink_session_options(const struct config_sink *sink,
                                                const struct config_aws *aws, struct arena *arena)
{
    const char *named = arena_copy(arena, config_sink_region(sink)).ptr;

    return (struct aws_session_options){
        .region = copy_first(arena, *sink->region ? sink->region : named, aws->region),
        .profile = copy_first(arena, sink->profile, aws->profile),
        .endpoint_url = "",
        .role_arn = copy_first(arena, sink->role_arn, ""),
    };
}

struct sink_session {
    struct str settings;
    struct aws_session *session;
};

struct sink_sessions {
    struct arena *arena;
    struct sink_session *list;
    size_t count;
    size_t capacity;
};

struct sink_sessions *sink_sessions_create(void)
{
    struct sink_sessions *sessions = mem_alloc(sizeof(*sessions));

    sessions->arena = arena_create();
    return sessions;
}

void sink_sessions_destroy(struct sink_sessions *sessions)
{
    if (!sessions)
        return;
    for (size_t i = 0; i < sessions->count; i++)
        aws_session_destroy(sessions->list[i].session);
    mem_free(sessions->list);
    arena_destroy(sessions->arena);
    mem_free(sessions);
}

/* All settings in one text. None of them has a newline, or two texts differ anyway. */
static struct str settings_text(const struct aws_session_options *options, struct arena *arena)
{
    return arena_printf(arena, "%s\n%s\n%s\n%s", options->region, options->profile,
                        options->endpoint_url, options->role_arn);
}

bool sink_sessions_get(struct sink_sessions *sessions, const struct aws_session_options *options,
                       struct aws_session **out, struct error *err)
{
    struct str settings = settings_text(options, sessions->arena);
    struct aws_session *session;

    for (size_t i = 0; i < sessions->count; i++)
        if (str_equal(sessions->list[i].settings, settings)) {
            *out = sessions->list[i].session;
            return true;
        }
    if (!aws_session_create(options, &session, err))
        return false;
    sessions->list =
        mem_grow(sessions->list, sessions->count, &sessions->capacity, sizeof(*sessions->list));
    sessions->list[sessions->count++] = (struct sink_session){ settings, session };
    *out = session;
    return true;
}
