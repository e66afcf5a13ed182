/*
 * test_glue.c - claims about schema/registry/glue.h and registry_glue(), against a server that
 * plays Glue.
 */
#include "schema/registry/glue.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fetch.h"
#include "tests/unit/canned.h"
#include "tests/unit/test.h"

enum { SEEN_MAX = 4096, REQUESTS_MAX = 8 };

#define UUID  "12345678-9abc-DEF0-1234-56789abcdef0"
#define ARN   "arn:aws:glue:eu-west-1:1:schema/R/S"
#define AGAIN "{\"__type\":\"InvalidInputException\",\"Message\":\"" /* is not tried again */

#define VERSION(number, status, format, definition)                                                \
    "{\"SchemaVersionId\":\"" UUID "\",\"SchemaDefinition\":\"" definition                         \
    "\",\"DataFormat\":\"" format "\",\"SchemaArn\":\"" ARN "\",\"VersionNumber\":" number         \
    ",\"Status\":\"" status "\",\"CreatedTime\":\"2026\"}"

/* What the server says, and the bodies that it was sent. */
static struct {
    int status;
    const char *bodies[REQUESTS_MAX]; /* one after the other; the last again and again */
    char seen[REQUESTS_MAX][SEEN_MAX];
    char text[8192];
} script;

static struct canned *server;
static struct aws_session *session;
static struct glue *glue;
static struct arena *arena;

static struct str play(void *self, struct str request, size_t nth)
{
    size_t last = 0;
    size_t slot = nth < REQUESTS_MAX ? nth : REQUESTS_MAX - 1;

    (void)self;
    (void)snprintf(script.seen[slot], SEEN_MAX, "%.*s", STR_ARG(request));
    while (last + 1 < REQUESTS_MAX && script.bodies[last + 1])
        last++;
    (void)snprintf(script.text, sizeof(script.text),
                   "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s", script.status,
                   strlen(script.bodies[nth < last ? nth : last]),
                   script.bodies[nth < last ? nth : last]);
    return str_from_c(script.text);
}

/* A Glue that answers so. */
static void begin(int status, const char *body)
{
    char url[100];
    struct error err = { 0 };

    memset(&script, 0, sizeof(script));
    script.status = status;
    script.bodies[0] = body;
    server = canned_start(NULL, play, NULL);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", canned_port(server));
    CHECK(aws_session_create(
        &(struct aws_session_options){ .region = "eu-west-1", .endpoint_url = url }, &session,
        &err));
    CHECK(glue_create(session, &glue, &err));
    CHECK_STR(str_from_c(glue_endpoint(glue)), url);
    arena = arena_create();
}

static void end(void)
{
    arena_destroy(arena);
    glue_destroy(glue);
    aws_session_destroy(session);
    canned_destroy(server);
}

/* The body of the request that came as number `nth`. */
static struct str sent(size_t nth)
{
    const char *body = strstr(script.seen[nth], "\r\n\r\n");

    return str_from_c(body ? body + 4 : "");
}

static void versions_are_asked_for_by_what_they_are_called(void)
{
    static const struct {
        const char *version;
        const char *body;
    } cases[] = {
        { NULL, "{\"SchemaId\":{\"RegistryName\":\"R\",\"SchemaName\":\"S\"},"
                "\"SchemaVersionNumber\":{\"LatestVersion\":true}}" },
        { "12", "{\"SchemaId\":{\"RegistryName\":\"R\",\"SchemaName\":\"S\"},"
                "\"SchemaVersionNumber\":{\"VersionNumber\":12}}" },
        { UUID, "{\"SchemaVersionId\":\"" UUID "\"}" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct registry_query query = { "R", "S", cases[i].version };
        struct glue_version version;
        struct error err = { 0 };

        begin(200, VERSION("7", "AVAILABLE", "JSON", "{}"));
        CHECK(glue_get_version(glue, &query, arena, &version, &err));
        CHECK_STR(sent(0), cases[i].body);
        CHECK_INT(version.number, 7);
        CHECK_STR(version.uuid, UUID);
        CHECK_STR(version.definition, "{}");
        end();
    }
}

static void failures_are_told_in_the_status_tables_words(void)
{
    /* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): the table reads better so */
    static const struct {
        int status;
        const char *body;
        enum err_code code;
        const char *text; /* its beginning */
    } cases[] = {
        { 400, "{\"__type\":\"EntityNotFoundException\",\"Message\":\"x\"}", ERR_NOT_FOUND,
          "Schema S not found in registry R" },
        { 400, "{\"__type\":\"AccessDeniedException\",\"Message\":\"x\"}", ERR_DENIED,
          "IAM role lacks glue:GetSchemaVersion permission" },
        { 400, "{\"__type\":\"InvalidInputException\",\"Message\":\"secret\"}", ERR_INTERNAL,
          "AWS Glue error: InvalidInputException" },
        { 400, "{\"__type\":\"UnrecognizedClientException\"}", ERR_INTERNAL,
          "AWS Glue error: UnrecognizedClientException" },
        { 404, "", ERR_INTERNAL, "AWS Glue error: HTTP status 404" },
        { 200, "[]", ERR_UNREACHABLE, "AWS SDK error during schema retrieval: " },
        { 200, "nonsense", ERR_UNREACHABLE, "AWS SDK error during schema retrieval: " },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct registry_query query = { "R", "S", NULL };
        struct glue_version version;
        struct error err = { 0 };

        TEST_CASE(cases[i].body);
        begin(cases[i].status, cases[i].body);
        CHECK(!glue_get_version(glue, &query, arena, &version, &err));
        CHECK_INT(err.code, cases[i].code);
        CHECK(str_starts_with(str_from_c(err.text), str_from_c(cases[i].text)));
        end();
    }
}

/* Who runs the server reads the operation and AWS's own words. */
static void operators_are_told_what_aws_says(void)
{
    static const char denied[] =
        "User: arn:aws:sts::123456789012:assumed-role/gate/session-0123456789 is not authorized to "
        "perform: glue:GetSchemaVersion on resource: "
        "arn:aws:glue:eu-west-1:123456789012:registry/GenesysInteractionRegistry because no "
        "identity-based policy allows the glue:GetSchemaVersion action";
    static const struct {
        const char *code;
        const char *message;
        const char *before; /* AWS's code and words */
        const char *said_before;
    } cases[] = {
        { "AccessDeniedException", denied,
          "IAM role lacks glue:GetSchemaVersion permission: ", "GetSchemaVersion: " },
        { "UnrecognizedClientException", "The security token included in the request is invalid.",
          "AWS Glue error: GetSchemaVersion: ", "GetSchemaVersion: " },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct registry_query query = { "R", "S", NULL };
        struct glue_version version;
        struct error err = { 0 };
        char body[600];
        char expected[600];

        TEST_CASE(cases[i].code);
        (void)snprintf(body, sizeof(body), "{\"__type\":\"%s\",\"Message\":\"%s\"}", cases[i].code,
                       cases[i].message);
        begin(400, body);
        CHECK(!glue_get_version(glue, &query, arena, &version, &err));
        CHECK(!strstr(err.text, cases[i].message));
        (void)snprintf(expected, sizeof(expected), "%s%s: %s", cases[i].said_before, cases[i].code,
                       cases[i].message);
        CHECK_STR(str_from_c(glue_said(glue)), expected);
        glue_use_operator_texts(glue);
        CHECK(!glue_get_version(glue, &query, arena, &version, &err));
        (void)snprintf(expected, sizeof(expected), "%s%s: %s", cases[i].before, cases[i].code,
                       cases[i].message);
        CHECK_STR(str_from_c(err.text), expected);
        end();
    }
}

static void only_an_available_json_version_is_a_definition(void)
{
    static const struct {
        const char *name;
        const char *body;
        const char *text; /* NULL: it is one */
    } cases[] = {
        { "good", VERSION("7", "AVAILABLE", "JSON", "{}"), NULL },
        { "pending", VERSION("7", "PENDING", "JSON", "{}"),
          "Schema version 7 is PENDING, not AVAILABLE" },
        { "Avro", VERSION("7", "AVAILABLE", "AVRO", "{}"), "Schema format is AVRO, not JSON" },
        { "empty", VERSION("7", "AVAILABLE", "JSON", ""),
          "Schema definition is empty in Glue Registry" },
        { "blank", VERSION("7", "AVAILABLE", "JSON", " \\n"),
          "Schema definition is empty in Glue Registry" },
        { "no number", VERSION("0", "AVAILABLE", "JSON", "{}"), "Schema version has no number" },
        { "nothing", "{}", "Schema version 0 is unknown, not AVAILABLE" },
        { "another's", "{\"SchemaArn\":\"arn:aws:glue:x:1:schema/R/T\"}",
          "Schema version  is another schema's" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct registry_query query = { "R", "S", NULL };
        struct schema_definition definition = { 0 };
        struct registry registry;
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        begin(200, cases[i].body);
        CHECK(registry_glue(session, 2, &registry, &err));
        CHECK_INT(registry.fetch(registry.self, &query, &definition, &err), !cases[i].text);
        CHECK_INT(err.code, cases[i].text ? ERR_INVALID : ERR_NONE);
        CHECK_STR(str_from_c(err.text), cases[i].text ? cases[i].text : "");
        CHECK_STR(str_from_c(definition.version), cases[i].text ? "" : "7");
        CHECK_STR(str_from_c(definition.uuid), cases[i].text ? "" : UUID);
        schema_definition_done(&definition);
        registry.interrupt(registry.self);
        CHECK(!registry.fetch(registry.self, &query, &definition, &err));
        registry.destroy(registry.self);
        end();
    }
}

static void all_pages_are_listed_newest_first(void)
{
    const struct glue_schema schema = { "R", "S" };
    struct glue_versions versions = { 0 };
    struct error err = { 0 };

    begin(200, "{\"Schemas\":[{\"VersionNumber\":1,\"Status\":\"AVAILABLE\"},{\"VersionNumber\":3}"
               "],\"NextToken\":\"more\"}");
    script.bodies[1] = "{\"Schemas\":[5,{\"VersionNumber\":2}]}";
    CHECK(glue_list_versions(glue, &schema, arena, &versions, &err));
    CHECK_INT((int64_t)versions.count, 3);
    CHECK_INT(versions.list[0].number, 3);
    CHECK_INT(versions.list[2].number, 1);
    CHECK_STR(versions.list[2].status, "AVAILABLE");
    CHECK(strstr(script.seen[1], ",\"NextToken\":\"more\"}") != NULL);
    end();
}

static void a_definition_is_checked(void)
{
    struct error err = { 0 };

    begin(200, "{\"Valid\":true}");
    CHECK(glue_check_definition(glue, STR("{\"a\":\"\\\"\"}"), &err));
    CHECK_STR(sent(0), "{\"DataFormat\":\"JSON\",\"SchemaDefinition\":\"{\\\"a\\\":\\\"\\\\\\\"\\\""
                       "}\"}");
    end();
    begin(200, "{\"Valid\":false,\"Error\":\"why\"}");
    CHECK(!glue_check_definition(glue, STR("{}"), &err));
    CHECK_INT(err.code, ERR_INVALID);
    CHECK_STR(str_from_c(err.text), "AWS Glue does not take this definition: why");
    end();
}

static void what_is_there_already_is_no_failure(void)
{
    const struct glue_registration registration = { { "R", "S" }, STR("{}"), "FULL" };
    struct error err = { 0 };
    bool existed = false;

    begin(400, "{\"__type\":\"AlreadyExistsException\",\"Message\":\"x\"}");
    CHECK(glue_create_registry(glue, "R", &existed, &err) && existed);
    CHECK(glue_create_schema(glue, &registration, &existed, &err) && existed);
    CHECK_INT(err.code, ERR_NONE);
    CHECK_STR(
        sent(1),
        "{\"RegistryId\":{\"RegistryName\":\"R\"},\"SchemaName\":\"S\",\"DataFormat\":\"JSON\","
        "\"Compatibility\":\"FULL\",\"SchemaDefinition\":\"{}\"}");
    end();
    begin(200, "{}");
    CHECK(glue_create_registry(glue, "R", &existed, &err) && !existed);
    end();
    begin(400, AGAIN "x\"}");
    CHECK(!glue_create_registry(glue, "R", &existed, &err));
    end();
}

static void numbers_and_uuids_are_known(void)
{
    static const struct {
        const char *text;
        int64_t number; /* 0: it is none */
        bool is_uuid;
    } cases[] = {
        { "1", 1, false },
        { "999999999", 999999999, false },
        { "1000000000", 0, false },
        { "0", 0, false },
        { "01", 0, false },
        { "", 0, false },
        { "-1", 0, false },
        { "1x", 0, false },
        { UUID, 0, true },
        { "12345678-9abc-DEF0-1234-56789abcdef", 0, false },
        { "12345678-9abc-DEF0-1234-56789abcdefg", 0, false },
        { "12345678x9abc-DEF0-1234-56789abcdef0", 0, false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t number = 0;

        TEST_CASE(cases[i].text);
        CHECK_INT(glue_is_number(str_from_c(cases[i].text), &number), cases[i].number != 0);
        CHECK_INT(number, cases[i].number);
        CHECK_INT(glue_is_uuid(str_from_c(cases[i].text)), cases[i].is_uuid);
    }
}

int main(void)
{
    struct error err = { 0 };

    (void)setenv("AWS_ACCESS_KEY_ID", "AKID", 1);       /* NOLINT(concurrency-mt-unsafe) */
    (void)setenv("AWS_SECRET_ACCESS_KEY", "secret", 1); /* NOLINT(concurrency-mt-unsafe) */
    (void)signal(SIGPIPE, SIG_IGN);
    CHECK(fetch_init(&err));
    RUN(versions_are_asked_for_by_what_they_are_called);
    RUN(failures_are_told_in_the_status_tables_words);
    RUN(operators_are_told_what_aws_says);
    RUN(only_an_available_json_version_is_a_definition);
    RUN(all_pages_are_listed_newest_first);
    RUN(a_definition_is_checked);
    RUN(what_is_there_already_is_no_failure);
    RUN(numbers_and_uuids_are_known);
    return test_end();
}
