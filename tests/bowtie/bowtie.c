/*
 * bowtie.c - the schema engine as Bowtie (bowtie.report) drives it: one JSON command a line on
 * standard input, one answer a line on standard output.
 *
 * A case whose schema does not compile is an "errored" answer, not the end. Annotations are not
 * offered: such tests are skipped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/json.h"
#include "base/memory.h"
#include "schema/schema.h"

#define HOMEPAGE "https://sluice.example"

static const char *const dialects[] = {
    "https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema#",      "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-04/schema#",
};

/* For one instance: nothing that Bowtie asks takes a thousandth of it. */
enum { BUDGET_US = 10 * 1000 * 1000 };

static const struct flat_options deep = { .max_depth = JSON_DEPTH_LIMIT };

struct session {
    enum schema_draft draft;
    bool assert_formats;
    bool stopped;
};

/* Answers. */

static void send_line(struct buf *answer)
{
    buf_add_char(answer, '\n');
    (void)fwrite(answer->ptr, 1, answer->len, stdout);
    (void)fflush(stdout);
}

static void start(struct buf *answer)
{
    struct utsname system;

    (void)uname(&system);
    buf_printf(answer,
               "{\"version\":1,\"implementation\":{\"language\":\"c\",\"name\":\"sluice\","
               "\"version\":\"0.1.0\",\"homepage\":\"" HOMEPAGE "\",\"issues\":\"" HOMEPAGE
               "/issues\",\"source\":\"" HOMEPAGE "\",\"documentation\":\"" HOMEPAGE
               "\",\"os\":\"%s\",\"os_version\":\"%s\",\"language_version\":\"C17\","
               "\"dialects\":[",
               system.sysname, system.release);
    for (size_t i = 0; i < COUNT_OF(dialects); i++)
        buf_printf(answer, "%s\"%s\"", i > 0 ? "," : "", dialects[i]);
    buf_add(answer, STR("]}}"));
}

static void set_dialect(struct session *session, const struct flat *command, struct buf *answer)
{
    bool ok = schema_draft_parse(flat_find_str(command, STR("dialect")), &session->draft);

    buf_printf(answer, "{\"ok\":%s}", ok ? "true" : "false");
}

/* Cases. */

/* The member `key`, or null. */
static const struct flat *member_of(const struct flat *object, struct str key)
{
    static const struct flat null = { .kind = JSON_NULL, .size = 1 };
    const struct flat *member = flat_find(object, key);

    return member ? member : &null;
}

static bool compile(const struct session *session, const struct flat *test_case,
                    struct schema **out, struct error *err)
{
    const struct flat *registry = flat_find(test_case, STR("registry"));
    size_t count = registry && flat_is_object(registry) ? flat_count(registry) : 0;
    struct schema_resource *resources = mem_alloc_array(count + 1, sizeof(*resources));
    struct arena *arena = arena_create();
    struct schema_options options = {
        .resources = resources,
        .resource_count = count,
        .draft = session->draft,
        .assert_formats = session->assert_formats,
    };

    if (count > 0) {
        for (FLAT_EACH(member, registry))
            resources[member->index] =
                (struct schema_resource){ arena_copy(arena, flat_key(member)).ptr, member };
    }

    bool ok = schema_compile(member_of(test_case, STR("schema")), &options, out, err);

    arena_destroy(arena);
    mem_free(resources);
    return ok;
}

static void fail_case(struct buf *answer, const char *why)
{
    buf_add(answer, STR("\"errored\":true,\"context\":{\"message\":"));
    json_write_string(answer, str_from_c(why));
    buf_add(answer, STR("}}"));
}

static void answer_test(const struct schema *schema, const struct flat *test, bool annotations,
                        struct buf *answer)
{
    const struct flat *instance = member_of(test, STR("instance"));

    if (annotations) {
        buf_add(answer, STR("{\"skipped\":true,\"message\":\"annotations are not collected\"}"));
        return;
    }

    struct schema_budget budget = schema_budget(BUDGET_US);
    enum schema_verdict verdict = schema_check(schema, instance, &budget);

    if (verdict != SCHEMA_VALID && verdict != SCHEMA_INVALID)
        buf_printf(answer, "{\"errored\":true,\"context\":{\"message\":\"%s\"}}",
                   schema_verdict_text(verdict));
    else
        buf_printf(answer, "{\"valid\":%s}", verdict == SCHEMA_VALID ? "true" : "false");
}

static void run_case(const struct session *session, const struct flat *command, struct buf *answer)
{
    const struct flat *test_case = member_of(command, STR("case"));
    const struct flat *tests = NULL;
    struct schema *schema;
    struct error err;
    bool annotations = str_equal(flat_find_str(command, STR("output")), STR("annotations"));

    buf_add(answer, STR("{\"seq\":"));
    flat_write(answer, member_of(command, STR("seq")));
    buf_add_char(answer, ',');
    if (flat_is_object(test_case))
        tests = flat_find(test_case, STR("tests"));
    if (!tests || !flat_is_array(tests)) {
        fail_case(answer, "no case with tests");
        return;
    }
    if (!compile(session, test_case, &schema, &err)) {
        fail_case(answer, err.text);
        return;
    }
    buf_add(answer, STR("\"results\":["));
    for (FLAT_EACH(test, tests)) {
        if (test->index > 0)
            buf_add_char(answer, ',');
        answer_test(schema, test, annotations, answer);
    }
    buf_add(answer, STR("]}"));
    schema_destroy(schema);
}

/*
 * A command that our reader refuses (a NUL in a key, say) ends one case, not the conversation:
 * json-c's lenient parser finds its `seq`.
 */
static bool refuse_line(const char *line, const char *why, struct buf *answer)
{
    struct json_tokener *tokener = json_tokener_new_ex(2 * JSON_DEPTH_LIMIT);
    struct json_object *command = json_tokener_parse_ex(tokener, line, -1);
    struct json_object *sequence = NULL;
    bool found = json_is_object(command) && json_find(command, "seq", &sequence);

    if (found) {
        buf_add(answer, STR("{\"seq\":"));
        json_write(answer, sequence);
        buf_add_char(answer, ',');
        fail_case(answer, why);
    }
    json_release(command);
    json_tokener_free(tokener);
    return found;
}

/* The conversation. */

static bool obey(struct session *session, const struct flat *command, struct buf *answer)
{
    struct str name = flat_find_str(command, STR("cmd"));

    if (str_equal(name, STR("start")))
        start(answer);
    else if (str_equal(name, STR("dialect")))
        set_dialect(session, command, answer);
    else if (str_equal(name, STR("run")))
        run_case(session, command, answer);
    else if (str_equal(name, STR("stop")))
        session->stopped = true;
    else
        return false;
    return true;
}

static bool handle_line(struct session *session, struct str line)
{
    struct arena *arena = arena_create();
    const struct flat *command = NULL;
    struct error err = { 0 };
    struct buf answer;

    buf_init(&answer, SIZE_MAX);

    bool ok = flat_read(arena, line, &deep, &command, &err)
                  ? flat_is_object(command) && obey(session, command, &answer)
                  : refuse_line(line.ptr, err.text, &answer);

    if (!ok)
        (void)fprintf(stderr, "bowtie: not a command: %s\n", err.text);
    else if (!session->stopped)
        send_line(&answer);
    buf_done(&answer);
    arena_destroy(arena);
    return ok;
}

/* --assert-formats is not Bowtie's: our own scripts ask for it. */
int main(int argc, char **argv)
{
    struct session session = { .assert_formats =
                                   argc > 1 && strcmp(argv[1], "--assert-formats") == 0 };
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    bool ok = true;

    while (ok && !session.stopped && (length = getline(&line, &size, stdin)) > 0)
        ok = handle_line(&session, (struct str){ line, (size_t)length });
    mem_free(line);
    return ok ? 0 : 1;
}
