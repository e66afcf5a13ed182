/*
 * test_resubmit_registry.c - claims about server/resubmit_registry.h, with a real store and a real
 * catalog; POST /events is played.
 */
#include "server/resubmit_registry.h"

#include "base/attr.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"

enum { PATIENCE_US = 20 * 1000 * 1000, MANY = 100, ROUND = 64 };

/* What POST /events is to answer, and how often it was asked. */
struct gate {
    int status;
    int calls;
};

static enum handler_step handle(void *self, struct request *request, struct response *response)
{
    struct gate *gate = self;

    (void)request;
    gate->calls++;
    response->status = gate->status;
    response->note.outcome = STR("whatever");
    return HANDLER_DONE;
}

struct setting {
    struct store store;
    struct folder schemas;
    struct catalog *catalog;
    struct outbox_view *view;
    struct resubmitter *resubmitter;
    struct resubmit_registry *rounds;
    struct gate gate;
};

/* The catalog knows Registry/Schema, which is usable, and Registry/Missing, which is not. */
static void begin(struct setting *setting)
{
    struct error err = { 0 };

    *setting = (struct setting){ .gate = { .status = 200 } };
    store_init(&setting->store);
    store_open(&setting->store);
    folder_init(&setting->schemas);
    folder_write(&setting->schemas, "Registry/Schema.json", STR("true"));
    setting->catalog = catalog_create(&(struct catalog_options){
        .registry = registry_file(setting->schemas.path), .refresh_us = 1000000 });
    (void)catalog_add(setting->catalog, "Registry", "Schema");
    (void)catalog_add(setting->catalog, "Registry", "Missing");
    catalog_load(setting->catalog);
    CHECK(outbox_view_open(setting->store.path, &setting->view, &err));
    setting->resubmitter = resubmitter_create(&(struct resubmitter_options){
        { .path = "/events", .method = HANDLER_POST, .handle = handle, .self = &setting->gate },
        setting->view,
        PATIENCE_US });
    setting->rounds = resubmit_registry_create(
        &(struct resubmit_registry_options){ setting->view, setting->resubmitter });
}

static void end(struct setting *setting)
{
    resubmit_registry_destroy(setting->rounds);
    resubmitter_destroy(setting->resubmitter);
    outbox_view_close(setting->view);
    catalog_destroy(setting->catalog);
    folder_done(&setting->schemas);
    store_done(&setting->store);
}

static void refuse(struct setting *setting, const char *id, const char *schema, bool registry_kind)
{
    struct outbox_event event = store_refusal(id, "{}");

    event.schema = str_from_c(schema);
    event.is_registry_kind = registry_kind;
    CHECK_INT((int64_t)store_submit(&setting->store, &event).verdict, OUTBOX_QUARANTINED);
}

static void posts_what_may_be_accepted_now(void)
{
    struct setting setting;

    begin(&setting);
    resubmit_registry_round(setting.rounds, setting.catalog);
    CHECK_INT(setting.gate.calls, 0);
    refuse(&setting, "a", "Schema", true);
    refuse(&setting, "b", "Schema", false);
    refuse(&setting, "c", "Missing", true);
    refuse(&setting, "d", "Schema", true);
    resubmit_registry_round(setting.rounds, setting.catalog);
    CHECK_INT(setting.gate.calls, 2);
    end(&setting);
}

static void leaves_what_was_accepted_alone(void)
{
    struct setting setting;
    struct outbox_event event = store_event("a", "{}");

    begin(&setting);
    refuse(&setting, "a", "Schema", true);
    CHECK_INT((int64_t)store_submit(&setting.store, &event).verdict, OUTBOX_ACCEPTED);
    resubmit_registry_round(setting.rounds, setting.catalog);
    CHECK_INT(setting.gate.calls, 0);
    end(&setting);
}

static void ends_a_round_when_it_is_too_early(void)
{
    struct setting setting;

    begin(&setting);
    setting.gate.status = 503;
    refuse(&setting, "a", "Schema", true);
    refuse(&setting, "b", "Schema", true);
    resubmit_registry_round(setting.rounds, setting.catalog);
    CHECK_INT(setting.gate.calls, 1);
    end(&setting);
}

static void takes_a_bounded_number_at_a_time(void)
{
    struct setting setting;

    begin(&setting);
    for (size_t i = 0; i < MANY; i++) {
        char id[] = { 'x', (char)('a' + i / 26), (char)('a' + i % 26), '\0' };

        refuse(&setting, id, "Schema", true);
    }
    resubmit_registry_round(setting.rounds, setting.catalog);
    CHECK_INT(setting.gate.calls, ROUND);
    end(&setting);
}

int main(void)
{
    RUN(posts_what_may_be_accepted_now);
    RUN(leaves_what_was_accepted_alone);
    RUN(ends_a_round_when_it_is_too_early);
    RUN(takes_a_bounded_number_at_a_time);
    return test_end();
}
