/*
 * test_resubmit_registry.c - claims about server/resubmit_registry.h, with a real store and a real
 * catalog; a stub stands for POST /events.
 */
#include "server/resubmit_registry.h"

#include "base/attr.h"
#include "base/json.h"
#include "tests/unit/store.h"
#include "tests/unit/test.h"

enum { PATIENCE_US = 20 * 1000 * 1000, MANY = 100, MOST = 64 };

/* What POST /events answers, how often it was called, and for how many events. */
struct gate {
    int status;
    int calls;
    size_t events;
    size_t refused;
    bool is_refused_whole; /* the answer says nothing of single events */
};

static enum handler_step handle(void *self, struct request *request, struct response *response)
{
    struct gate *gate = self;

    CLEANUP(json_cleanup) struct json_object *body = NULL;
    struct error err = { 0 };

    gate->calls++;
    CHECK(json_read(request->body, NULL, &body, &err));
    gate->events += json_is_array(body) ? json_count(body) : 1;
    response->status = gate->status;
    response->note.outcome = STR("whatever");
    if (json_is_array(body) && !gate->is_refused_whole) {
        response->note.events = json_count(body);
        response->note.refused = gate->refused;
    }
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

/* One round. */
static void go_round(struct setting *setting)
{
    while (resubmit_registry_step(setting->rounds, setting->catalog, MOST))
        continue;
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
    go_round(&setting);
    CHECK_INT(setting.gate.calls, 0);
    refuse(&setting, "a", "Schema", true);
    refuse(&setting, "b", "Schema", false);
    refuse(&setting, "c", "Missing", true);
    go_round(&setting);
    CHECK_INT(setting.gate.calls, 1);
    CHECK_INT((int64_t)setting.gate.events, 1);
    refuse(&setting, "d", "Schema", true);
    go_round(&setting);
    CHECK_INT(setting.gate.calls, 2);
    CHECK_INT((int64_t)setting.gate.events, 3);
    end(&setting);
}

static void leaves_what_was_accepted_alone(void)
{
    struct setting setting;
    struct outbox_event event = store_event("a", "{}");

    begin(&setting);
    refuse(&setting, "a", "Schema", true);
    CHECK_INT((int64_t)store_submit(&setting.store, &event).verdict, OUTBOX_ACCEPTED);
    go_round(&setting);
    CHECK_INT(setting.gate.calls, 0);
    end(&setting);
}

static void refuse_many(struct setting *setting)
{
    for (size_t i = 0; i < MANY; i++) {
        char id[] = { 'x', (char)('a' + i / 26), (char)('a' + i % 26), '\0' };

        refuse(setting, id, "Schema", true);
    }
}

static void leaves_a_schema_alone_when_it_is_too_early(void)
{
    struct setting setting;

    begin(&setting);
    setting.gate.status = 503;
    setting.gate.refused = MOST;
    refuse_many(&setting);
    go_round(&setting);
    CHECK_INT(setting.gate.calls, 1);
    setting.gate.is_refused_whole = true; /* as at the deadline: none was accepted */
    go_round(&setting);
    CHECK_INT(setting.gate.calls, 2);
    setting.gate.is_refused_whole = false;
    setting.gate.refused = 1; /* that is no reason to keep the others */
    go_round(&setting);
    CHECK_INT(setting.gate.calls, 4);
    end(&setting);
}

/* The stub accepts without changing the store, so that all rows stay. */
static void posts_each_once_in_a_round_and_many_together(void)
{
    struct setting setting;

    begin(&setting);
    refuse_many(&setting);
    CHECK(resubmit_registry_step(setting.rounds, setting.catalog, MOST));
    CHECK_INT(setting.gate.calls, 1);
    CHECK_INT((int64_t)setting.gate.events, MOST);
    CHECK(resubmit_registry_step(setting.rounds, setting.catalog, MOST));
    CHECK_INT(setting.gate.calls, 2);
    CHECK_INT((int64_t)setting.gate.events, MANY);
    CHECK(!resubmit_registry_step(setting.rounds, setting.catalog, MOST));
    CHECK_INT(setting.gate.calls, 2);
    CHECK(resubmit_registry_step(setting.rounds, setting.catalog, 1)); /* the next round */
    CHECK_INT((int64_t)setting.gate.events, MANY + 1);
    end(&setting);
}

static void bounds_the_bytes_that_are_posted_together(void)
{
    static char large[200 * 1024];
    struct setting setting;

    begin(&setting);
    memset(large, ' ', sizeof(large) - 1);
    large[0] = '{';
    large[1] = '}';
    for (size_t i = 0; i < 3; i++) {
        char id[] = { 'x', (char)('a' + i), '\0' };
        struct outbox_event event = store_refusal(id, large);

        event.schema = STR("Schema");
        event.is_registry_kind = true;
        CHECK_INT((int64_t)store_submit(&setting.store, &event).verdict, OUTBOX_QUARANTINED);
    }
    go_round(&setting);
    CHECK_INT(setting.gate.calls, 3);
    CHECK_INT((int64_t)setting.gate.events, 3);
    end(&setting);
}

static void bounds_the_events_per_second(void)
{
    static const struct {
        int64_t since_us;
        bool beside_senders;
        size_t max_batch;
        size_t portion;
    } rows[] = {
        { 0, true, 500, 4 },       { RESUBMIT_STEP_US, true, 500, 4 },
        { 50000, true, 500, 25 },  { 50000, true, 10, 10 },
        { 0, true, 1, 1 },         { 10000000, true, 500, 256 },
        { INT64_MAX, true, 1, 1 }, { INT64_MAX, true, 500, 256 },
        { 0, false, 500, 32 },     { 50000, false, 500, 200 },
        { 50000, false, 10, 10 },  { INT64_MAX, false, 500, 256 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK_INT((int64_t)resubmit_registry_portion(rows[i].since_us, rows[i].beside_senders,
                                                     rows[i].max_batch),
                  (int64_t)rows[i].portion);
}

int main(void)
{
    RUN(posts_what_may_be_accepted_now);
    RUN(leaves_what_was_accepted_alone);
    RUN(leaves_a_schema_alone_when_it_is_too_early);
    RUN(posts_each_once_in_a_round_and_many_together);
    RUN(bounds_the_bytes_that_are_posted_together);
    RUN(bounds_the_events_per_second);
    return test_end();
}
