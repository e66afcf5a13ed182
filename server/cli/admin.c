/*
 * admin.c - see admin.h.
 */
#include "server/cli/admin.h"

#include "base/memory.h"
#include "delivery/outbox/view.h"
#include "server/service.h"

struct admin {
    struct control_client *client; /* NULL: no server, or a trial; then the rest is set */
    struct service *service;
    struct outbox_view *view;
    struct resubmitter *resubmitter;
};

/* `options` NULL: a service that stores nothing. */
static bool open_service(struct admin *admin, const struct config *config,
                         const struct service_options *options, struct error *err)
{
    if (!service_create(config, options, &admin->service, err) ||
        (options && !outbox_start(admin->service->outbox, err)) ||
        !outbox_view_open(config->store.path, &admin->view, err))
        return false;
    admin->resubmitter = resubmitter_create(&(struct resubmitter_options){
        events_handler(admin->service->events), admin->view, config->http.deadline_us });
    return true;
}

bool admin_open(const struct config *config, struct admin **out, struct error *err)
{
    const struct service_options options = { 0 };
    struct admin *admin = mem_alloc(sizeof(*admin));

    admin->client = control_client_open(config->store.path);
    if (!admin->client && !open_service(admin, config, &options, err)) {
        admin_close(admin);
        return false;
    }
    *out = admin;
    return true;
}

bool admin_open_trial(const struct config *config, struct admin **out, struct error *err)
{
    struct admin *admin = mem_alloc(sizeof(*admin));

    if (!open_service(admin, config, NULL, err)) {
        admin_close(admin);
        return false;
    }
    *out = admin;
    return true;
}

void admin_close(struct admin *admin)
{
    if (!admin)
        return;
    control_client_close(admin->client);
    outbox_view_close(admin->view);
    service_destroy(admin->service); /* ends the committer, which wakes the resubmitter */
    resubmitter_destroy(admin->resubmitter);
    mem_free(admin);
}

bool admin_replay(struct admin *admin, int64_t id, struct resubmit_answer *out, struct error *err)
{
    return admin->client ? control_client_replay(admin->client, id, out, err)
                         : resubmit_refused(admin->resubmitter, id, out, err);
}

bool admin_discard(struct admin *admin, bool dead, const struct control_ids *ids, size_t *gone,
                   struct error *err)
{
    struct outbox *outbox = admin->client ? NULL : admin->service->outbox;

    if (admin->client)
        return control_client_discard(admin->client, dead, ids, gone, err);
    return dead ? outbox_discard_dead(outbox, ids->list, ids->count, gone, err)
                : outbox_discard_refused(outbox, ids->list, ids->count, gone, err);
}

bool admin_revive(struct admin *admin, int64_t id, struct error *err)
{
    return admin->client ? control_client_revive(admin->client, id, err)
                         : outbox_revive(admin->service->outbox, id, err);
}

bool admin_move(struct admin *admin, const char *sink, int64_t seq, struct error *err)
{
    return admin->client ? control_client_move(admin->client, sink, seq, err)
                         : outbox_set_aside(admin->service->outbox, sink, seq, err);
}

bool admin_drop_sink(struct admin *admin, const char *name, struct error *err)
{
    return admin->client ? control_client_drop_sink(admin->client, name, err)
                         : outbox_drop_sink(admin->service->outbox, name, err);
}

bool admin_pause_sink(struct admin *admin, const char *name, bool paused, struct error *err)
{
    return admin->client ? control_client_pause(admin->client, name, paused, err)
                         : outbox_pause_sink(admin->service->outbox, name, paused, err);
}

bool admin_replay_records(struct admin *admin, struct outbox_replay *replay, struct error *err)
{
    return admin->client ? control_client_again(admin->client, replay, err)
                         : outbox_replay(admin->service->outbox, replay, err);
}
