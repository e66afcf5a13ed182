/*
 * sink_sessions.c - see sink_sessions.h.
 */
#include "server/sink_sessions.h"

#include "base/list.h"
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
    struct list_link link;
    struct arena *arena; /* of the settings */
    struct str settings;
    struct aws_session *session;
    size_t users;
};

struct sink_sessions {
    struct list list;
};

struct sink_sessions *sink_sessions_create(void)
{
    struct sink_sessions *sessions = mem_alloc(sizeof(*sessions));

    list_init(&sessions->list);
    return sessions;
}

void sink_sessions_destroy(struct sink_sessions *sessions)
{
    mem_free(sessions);
}

/* All settings in one text. None of them has a newline, or two texts differ anyway. */
static struct str settings_text(const struct aws_session_options *options, struct arena *arena)
{
    return arena_printf(arena, "%s\n%s\n%s\n%s", options->region, options->profile,
                        options->endpoint_url, options->role_arn);
}

static struct sink_session *find_session(const struct sink_sessions *sessions, struct str settings)
{
    for (struct list_link *link = list_first(&sessions->list); link;
         link = list_next(&sessions->list, link)) {
        struct sink_session *entry = CONTAINER_OF(link, struct sink_session, link);

        if (str_equal(entry->settings, settings))
            return entry;
    }
    return NULL;
}

static bool add_session(struct sink_sessions *sessions, const struct aws_session_options *options,
                        struct sink_session **out, struct error *err)
{
    struct aws_session *session;

    if (!aws_session_create(options, &session, err))
        return false;
    *out = mem_alloc(sizeof(**out));
    **out = (struct sink_session){ .arena = arena_create(), .session = session };
    (*out)->settings = settings_text(options, (*out)->arena);
    list_append(&sessions->list, &(*out)->link);
    return true;
}

/* An arena that used it ends. */
static void end_use(void *self)
{
    struct sink_session *entry = self;

    if (--entry->users > 0)
        return;
    list_remove(&entry->link);
    aws_session_destroy(entry->session);
    arena_destroy(entry->arena);
    mem_free(entry);
}

bool sink_sessions_get(struct sink_sessions *sessions, const struct aws_session_options *options,
                       struct arena *arena, struct aws_session **out, struct error *err)
{
    struct sink_session *entry = find_session(sessions, settings_text(options, arena));

    if (!entry && !add_session(sessions, options, &entry, err))
        return false;
    entry->users++;
    arena_own(arena, entry, end_use);
    *out = entry->session;
    return true;
}
