/*
 * glue.c - see glue.h. Requests and answers follow the reference of the Glue API, version
 * 2017-03-31.
 */
#include "schema/registry/glue.h"

#include <inttypes.h>
#include <stdio.h>

#include "aws/client.h"
#include "base/chars.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/member.h"
#include "base/memory.h"

enum {
    CALL_US = 5 * US_PER_S, /* one call with its retries; the deadline of an event is 4 s */
    TIME_UP_US = 100 * US_PER_MS,
    BODY_MAX = 8 * 1024 * 1024,
    PAGE_SIZE = 100,
    VERSIONS_MAX = 10000,
    NUMBER_MAX = 999999999,
    UUID_LEN = 36,
    PAGES_MAX = 200,
    SAID_MAX = 450, /* bytes of AWS's message, after the operation */
};

static const char get_version[] = "GetSchemaVersion";

struct glue {
    struct aws_client *client;
    bool for_operator;
    char said[ERR_TEXT_SIZE]; /* AWS's message of the last call that failed */
};

/* One call, and the names for its error texts. */
struct call {
    struct glue *glue;
    const char *operation;
    const struct glue_schema *schema; /* NULL: no schema */
    struct buf *body;
    struct arena *arena;
};

bool glue_create(struct aws_session *session, struct glue **out, struct error *err)
{
    const struct aws_client_options options = {
        .service = "glue",
        .attempt_time_us = CALL_US,
    };
    struct aws_client *client;

    if (!aws_client_create(session, &options, &client, err))
        return false;
    *out = mem_alloc(sizeof(**out));
    (*out)->client = client;
    return true;
}

void glue_destroy(struct glue *glue)
{
    if (!glue)
        return;
    aws_client_destroy(glue->client);
    mem_free(glue);
}

void glue_use_operator_texts(struct glue *glue)
{
    glue->for_operator = true;
}

const char *glue_said(const struct glue *glue)
{
    return glue->said;
}

void glue_interrupt(struct glue *glue)
{
    aws_client_interrupt(glue->client);
}

const char *glue_endpoint(const struct glue *glue)
{
    return aws_client_endpoint(glue->client);
}

int64_t glue_clock_skew(const struct glue *glue)
{
    return aws_client_clock_skew(glue->client);
}

bool glue_is_uuid(struct str text)
{
    if (text.len != UUID_LEN)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (i == 8 || i == 13 || i == 18 || i == 23 ? c != '-' : !char_is_hex(c))
            return false;
    }
    return true;
}

bool glue_is_number(struct str text, int64_t *number)
{
    return !str_starts_with(text, STR("0")) && whole_number(text, NUMBER_MAX, number);
}

/* Failures, with the texts of the status table. */

/* The kind first: see registry_cut_for_senders(). */
static bool fail_sdk(struct error *err, const struct aws_failure *failure)
{
    const char *kind = "no connection";

    if (failure->kind == AWS_NO_CREDENTIALS)
        kind = "no credentials";
    else if (failure->kind == AWS_GARBLED)
        kind = "the answer is not JSON";
    return fail(err, ERR_UNREACHABLE, "AWS SDK error during schema retrieval: %s: %s", kind,
                failure->error.text);
}

/* Does Glue report an internal fault, rather than overload? */
static bool is_internal(const struct aws_failure *failure)
{
    return str_starts_with(str_from_c(failure->code), STR("Internal"));
}

/*
 * Senders of events get the error code only; an operator who changes schemas gets AWS's message.
 */
static bool fail_otherwise(const struct call *call, const struct aws_failure *failure,
                           struct error *err)
{
    const char *text = failure->error.text;

    if (strcmp(call->operation, get_version) == 0 && !call->glue->for_operator)
        return fail(err, ERR_INTERNAL, "AWS Glue error: %s", *failure->code ? failure->code : text);
    return fail(err,
                strcmp(failure->code, "InvalidInputException") == 0 ? ERR_INVALID : ERR_INTERNAL,
                "AWS Glue error: %s: %s", call->operation, text);
}

/* AWS's message names the principal and the ARN. */
static bool fail_denied(const struct call *call, const struct aws_failure *failure,
                        struct error *err)
{
    return fail(err, ERR_DENIED, "IAM role lacks glue:%s permission%s%s", call->operation,
                call->glue->for_operator ? ": " : "",
                call->glue->for_operator ? failure->error.text : "");
}

static bool fail_call(const struct call *call, const struct aws_failure *failure, bool time_is_up,
                      struct error *err)
{
    switch (failure->kind) {
    case AWS_DENIED:
        return fail_denied(call, failure, err);
    case AWS_NOT_FOUND:
        if (call->schema)
            return registry_fail_not_found(err, call->schema->registry, call->schema->schema);
        break;
    case AWS_NO_CREDENTIALS:
    case AWS_GARBLED:
        return fail_sdk(err, failure);
    case AWS_UNREACHABLE:
        /* After a timeout a retry of the event can succeed; an endpoint that cannot be reached is
         * reported. */
        return time_is_up ? fail(err, ERR_UNAVAILABLE, "AWS Glue does not answer in time")
                          : fail_sdk(err, failure);
    case AWS_THROTTLED:
        return fail(err, ERR_THROTTLED, "AWS Glue asks to come back later: %s",
                    failure->error.text);
    case AWS_UNAVAILABLE:
        if (!is_internal(failure))
            return fail(err, ERR_THROTTLED, "AWS Glue is not available: %s", failure->error.text);
        break;
    default:
        break;
    }
    return fail_otherwise(call, failure, err);
}

/* Close the body and call. */
static bool run(const struct call *call, struct json_object **answer, struct error *err)
{
    buf_add_char(call->body, '}');

    const struct aws_call aws = {
        .operation = call->operation,
        .body = buf_str(call->body),
        .deadline_us = clock_monotonic_us() + CALL_US,
    };
    struct aws_failure failure = { 0 };

    if (call->body->overflow)
        return fail(err, ERR_INVALID, "Schema definition is too long");
    if (aws_client_call(call->glue->client, &aws, call->arena, answer, &failure))
        return true;
    (void)snprintf(call->glue->said, ERR_TEXT_SIZE, "%s: %.*s", call->operation, SAID_MAX,
                   failure.error.text);
    return fail_call(call, &failure, clock_monotonic_us() > aws.deadline_us - TIME_UP_US, err);
}

/* Requests. */

static void add_schema_id(struct buf *out, const struct glue_schema *schema)
{
    member_open(out, "SchemaId", '{');
    member_text(out, "RegistryName", str_from_c(schema->registry));
    member_text(out, "SchemaName", str_from_c(schema->schema));
    buf_add_char(out, '}');
}

static struct buf *begin_body(struct arena *arena)
{
    struct buf *body = arena_buf(arena, BODY_MAX);

    buf_add_char(body, '{');
    return body;
}

/* Answers. */

static struct str copy_text(struct arena *arena, struct json_object *answer, const char *key)
{
    return arena_copy(arena, json_find_str(answer, key));
}

static void read_version(struct arena *arena, struct json_object *answer, struct glue_version *out)
{
    struct json_object *number = NULL;

    *out = (struct glue_version){
        .uuid = copy_text(arena, answer, "SchemaVersionId"),
        .status = copy_text(arena, answer, "Status"),
        .format = copy_text(arena, answer, "DataFormat"),
        .definition = copy_text(arena, answer, "SchemaDefinition"),
        .created = copy_text(arena, answer, "CreatedTime"),
    };
    if (json_find(answer, "VersionNumber", &number) && json_kind(number) == JSON_INTEGER)
        (void)json_int64(number, &out->number);
}

/* A UUID does not name its schema; the answer does. */
static bool is_of(struct str arn, const struct registry_query *query, struct arena *arena)
{
    struct str end = arena_printf(arena, ":schema/%s/%s", query->registry, query->schema);

    return arn.len == 0 || str_ends_with(arn, end);
}

bool glue_get_version(struct glue *glue, const struct registry_query *query, struct arena *arena,
                      struct glue_version *out, struct error *err)
{
    const struct glue_schema schema = { query->registry, query->schema };
    struct buf *body = begin_body(arena);
    const struct call call = { glue, get_version, &schema, body, arena };
    struct str version = str_from_c(query->version);
    struct json_object *answer = NULL;
    int64_t number;

    if (glue_is_uuid(version)) {
        member_text(body, "SchemaVersionId", version);
    } else {
        add_schema_id(body, &schema);
        member_open(body, "SchemaVersionNumber", '{');
        if (glue_is_number(version, &number))
            member_int(body, "VersionNumber", number);
        else
            member_bool(body, "LatestVersion", true);
        buf_add_char(body, '}');
    }
    if (!run(&call, &answer, err))
        return false;
    if (!is_of(json_find_str(answer, "SchemaArn"), query, arena))
        return fail(err, ERR_INVALID, "Schema version %s is another schema's",
                    query->version ? query->version : "");
    read_version(arena, answer, out);
    return true;
}

/* Append the page's versions. */
static void add_page(struct arena *arena, struct json_object *answer, struct glue_version *list,
                     size_t *count)
{
    struct json_object *page = NULL;

    if (!json_find(answer, "Schemas", &page) || !json_is_array(page))
        return;
    for (size_t i = 0; i < json_count(page) && *count < VERSIONS_MAX; i++)
        if (json_is_object(json_at(page, i)))
            read_version(arena, json_at(page, i), &list[(*count)++]);
}

static void sort_newest_first(struct glue_version *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct glue_version one = list[i];
        size_t at = i;

        for (; at > 0 && list[at - 1].number < one.number; at--)
            list[at] = list[at - 1];
        list[at] = one;
    }
}

/* One page; `*next` is the token of the next one. */
static bool list_page(struct call call, struct str *next, struct json_object **answer,
                      struct error *err)
{
    struct buf *body = begin_body(call.arena);

    call.body = body;
    add_schema_id(body, call.schema);
    member_int(body, "MaxResults", PAGE_SIZE);
    if (next->len > 0)
        member_text(body, "NextToken", *next);
    if (!run(&call, answer, err))
        return false;
    *next = copy_text(call.arena, *answer, "NextToken");
    return true;
}

bool glue_list_versions(struct glue *glue, const struct glue_schema *schema, struct arena *arena,
                        struct glue_versions *out, struct error *err)
{
    const struct call call = { glue, "ListSchemaVersions", schema, NULL, arena };
    struct glue_version *list = arena_alloc(arena, VERSIONS_MAX * sizeof(*list));
    struct str next = STR_NONE;
    size_t found = 0;

    for (int page = 0; page == 0 || (next.len > 0 && page < PAGES_MAX); page++) {
        struct json_object *answer = NULL;

        if (!list_page(call, &next, &answer, err))
            return false;
        add_page(arena, answer, list, &found);
    }
    sort_newest_first(list, found);
    *out = (struct glue_versions){ list, found };
    return true;
}

bool glue_check_definition(struct glue *glue, struct str definition, struct error *err)
{
    struct arena *arena = arena_create();
    struct buf *body = begin_body(arena);
    const struct call call = { glue, "CheckSchemaVersionValidity", NULL, body, arena };
    struct json_object *answer = NULL;
    struct json_object *valid = NULL;
    bool ok;

    member_text(body, "DataFormat", STR("JSON"));
    member_text(body, "SchemaDefinition", definition);
    ok = run(&call, &answer, err);
    if (ok && json_find(answer, "Valid", &valid) && json_kind(valid) == JSON_BOOLEAN &&
        !json_object_get_boolean(valid))
        ok = fail(err, ERR_INVALID, "AWS Glue does not take this definition: %.*s",
                  STR_ARG(json_find_str(answer, "Error")));
    arena_destroy(arena);
    return ok;
}

bool glue_register_version(struct glue *glue, const struct glue_registration *registration,
                           struct arena *arena, struct glue_version *out, struct error *err)
{
    struct buf *body = begin_body(arena);
    const struct call call = { glue, "RegisterSchemaVersion", &registration->schema, body, arena };
    struct json_object *answer = NULL;

    add_schema_id(body, &registration->schema);
    member_text(body, "SchemaDefinition", registration->definition);
    if (!run(&call, &answer, err))
        return false;
    read_version(arena, answer, out);
    return true;
}

bool glue_get_compatibility(struct glue *glue, const struct glue_schema *schema,
                            struct arena *arena, struct str *out, struct error *err)
{
    struct buf *body = begin_body(arena);
    const struct call call = { glue, "GetSchema", schema, body, arena };
    struct json_object *answer = NULL;

    add_schema_id(body, schema);
    if (!run(&call, &answer, err))
        return false;
    *out = copy_text(arena, answer, "Compatibility");
    return true;
}

/* A call that creates something; it is not a failure that it exists. */
static bool create(const struct call *call, bool *existed, struct error *err)
{
    struct json_object *answer = NULL;

    *existed = false;
    if (run(call, &answer, err))
        return true;
    if (!strstr(err->text, "AlreadyExistsException"))
        return false;
    *err = (struct error){ 0 };
    *existed = true;
    return true;
}

bool glue_create_registry(struct glue *glue, const char *registry, bool *existed, struct error *err)
{
    struct arena *arena = arena_create();
    struct buf *body = begin_body(arena);
    const struct call call = { glue, "CreateRegistry", NULL, body, arena };

    member_text(body, "RegistryName", str_from_c(registry));

    bool ok = create(&call, existed, err);

    arena_destroy(arena);
    return ok;
}

bool glue_create_schema(struct glue *glue, const struct glue_registration *registration,
                        bool *existed, struct error *err)
{
    struct arena *arena = arena_create();
    struct buf *body = begin_body(arena);
    const struct call call = { glue, "CreateSchema", &registration->schema, body, arena };

    member_open(body, "RegistryId", '{');
    member_text(body, "RegistryName", str_from_c(registration->schema.registry));
    buf_add_char(body, '}');
    member_text(body, "SchemaName", str_from_c(registration->schema.schema));
    member_text(body, "DataFormat", STR("JSON"));
    member_text(body, "Compatibility", str_from_c(registration->compatibility));
    if (registration->definition.len > 0)
        member_text(body, "SchemaDefinition", registration->definition);

    bool ok = create(&call, existed, err);

    arena_destroy(arena);
    return ok;
}
