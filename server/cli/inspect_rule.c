/*
 * inspect_rule.c - compares a rule of EventBridge, with what it calls, with this configuration.
 *
 * The rule leads to its targets, a target to an API destination, that to a connection. What AWS
 * does not allow to be read is a warning.
 */
#include <string.h>

#include "aws/client.h"
#include "base/chars.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/member.h"
#include "server/cli/inspect_internal.h"
#include "server/cli/resource_policy.h"
#include "server/http/chain.h"

enum {
    TIMEOUT_US = 10 * US_PER_S,
    BODY_MAX = 16 * 1024,
    DEFAULT_AGE_S = 24 * 60 * 60, /* of a rule's retries */
};

static const char what[] = "rule";

struct rule_inspection {
    const struct inspection *inspection;
    struct aws_session *session;
    struct aws_client *events;
    struct aws_client *queues;
    const char *bus;
    const char *name;
    struct str arn;
    struct json_object *target;
};

#define RULE_SAY(rule, finding, ...) inspect_say((rule)->inspection, finding, what, "", __VA_ARGS__)

/* Two members of a request; the second may have no name. */
struct question {
    const char *operation;
    const char *members[2];
    const char *values[2];
};

/* NULL: AWS did not answer, which is reported. */
static struct json_object *rule_ask(const struct rule_inspection *rule, struct aws_client *client,
                                    const struct question *question)
{
    struct arena *arena = rule->inspection->arena;
    struct buf *body = arena_buf(arena, BODY_MAX);
    struct aws_failure failure = { 0 };
    struct json_object *answer;

    buf_add_char(body, '{');
    for (size_t i = 0; i < COUNT_OF(question->members) && question->members[i]; i++)
        member_text(body, question->members[i], str_from_c(question->values[i]));
    buf_add_char(body, '}');

    const struct aws_call call = { .operation = question->operation,
                                   .body = buf_str(body),
                                   .deadline_us = clock_monotonic_us() + TIMEOUT_US };

    if (aws_client_call(client, &call, arena, &answer, &failure))
        return answer;
    RULE_SAY(rule, failure.kind == AWS_DENIED ? INSPECT_WARNING : INSPECT_FAILURE, "%s: %s",
             question->operation, failure.error.text);
    return NULL;
}

/* The last part of an ARN after its `index`th slash. */
static const char *part_of_arn(const struct rule_inspection *rule, struct str arn, size_t index)
{
    size_t begin = 0;
    size_t end;

    for (; index > 0 && begin < arn.len; begin++)
        if (arn.ptr[begin] == '/')
            index--;
    for (end = begin; end < arn.len && arn.ptr[end] != '/'; end++)
        ;
    return arena_copy(rule->inspection->arena, (struct str){ arn.ptr + begin, end - begin }).ptr;
}

static int64_t member_number(struct json_object *object, const char *key, int64_t otherwise)
{
    struct json_object *value = NULL;
    int64_t number;

    return json_find(object, key, &value) && json_kind(value) == JSON_INTEGER &&
                   json_int64(value, &number)
               ? number
               : otherwise;
}

static struct json_object *member_object(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    return json_find(object, key, &value) && json_is_object(value) ? value : NULL;
}

/* What is called. */

/* The certificate that EventBridge sees, unless a proxy in front has its own. */
static void compare_host(const struct rule_inspection *rule, struct str rest)
{
    CLEANUP(http_chain_done) struct http_chain chain = { 0 };
    struct arena *arena = rule->inspection->arena;
    struct str authority = take_until(&rest, '/');
    const char *host = arena_copy(arena, take_until(&authority, ':')).ptr;
    const char *file = rule->inspection->config->http.tls.cert_file;
    struct error err;

    if (*file && http_chain_read(file, &chain, &err) && !http_chain_is_for(&chain, host))
        RULE_SAY(rule, INSPECT_WARNING,
                 "the API destination calls %s, and the certificate is not for that name", host);
}

static void compare_url(const struct rule_inspection *rule, struct str url)
{
    struct str path = url;
    size_t end = 0;

    if (!str_starts_with(url, STR("https://")))
        RULE_SAY(rule, INSPECT_FAILURE, "the API destination's endpoint is not https: %.*s",
                 STR_ARG(url));
    for (int slashes = 0; slashes < 2; slashes++)
        (void)take_until(&path, '/');
    compare_host(rule, path);
    while (path.len > 0 && path.ptr[0] != '/')
        path = str_from(path, 1);
    while (end < path.len && path.ptr[end] != '?')
        end++;
    path.len = end;
    if (str_equal(path, STR("/events")))
        RULE_SAY(rule, INSPECT_FINE, "the API destination calls %.*s", STR_ARG(url));
    else
        RULE_SAY(rule, INSPECT_FAILURE,
                 "the API destination calls the path \"%.*s\", but events are taken at /events",
                 STR_ARG(path));
}

static void compare_rate(const struct rule_inspection *rule, struct json_object *destination)
{
    int64_t rate = member_number(destination, "InvocationRateLimitPerSecond", 300);
    int64_t limit = rule->inspection->config->http.rate_limit;

    if (limit > 0 && rate > limit)
        RULE_SAY(rule, INSPECT_WARNING,
                 "the API destination calls up to %lld times a second, and http.rate_limit is "
                 "%lld: the rest is answered 429",
                 (long long)rate, (long long)limit);
    else
        RULE_SAY(rule, INSPECT_FINE, "the API destination calls at most %lld times a second",
                 (long long)rate);
}

static bool has_key_header(const struct config_auth *auth, struct str name)
{
    for (size_t i = 0; i < auth->api_key_count; i++)
        if (str_equal_ignore_case(name, str_from_c(auth->api_keys[i].header)))
            return true;
    return false;
}

static bool has_user(const struct config_auth *auth, struct str name)
{
    for (size_t i = 0; i < auth->basic_count; i++)
        if (str_equal(name, str_from_c(auth->basic[i].user)))
            return true;
    return false;
}

/* Is there a credential of the connection's kind? `*wanted` says which one. */
static bool fits_auth(const struct rule_inspection *rule, struct json_object *connection,
                      const char **wanted)
{
    const struct config_auth *auth = &rule->inspection->config->auth;
    struct arena *arena = rule->inspection->arena;
    struct str kind = json_find_str(connection, "AuthorizationType");
    struct json_object *all = member_object(connection, "AuthParameters");
    struct json_object *own;

    if (str_equal(kind, STR("API_KEY"))) {
        own = all ? member_object(all, "ApiKeyAuthParameters") : NULL;

        struct str name = own ? json_find_str(own, "ApiKeyName") : STR("");

        *wanted =
            arena_printf(arena, "an API key in the header %.*s (auth.api_keys)", STR_ARG(name)).ptr;
        return has_key_header(auth, name);
    }
    if (str_equal(kind, STR("BASIC"))) {
        own = all ? member_object(all, "BasicAuthParameters") : NULL;

        struct str name = own ? json_find_str(own, "Username") : STR("");

        *wanted = arena_printf(arena, "the user %.*s (auth.basic)", STR_ARG(name)).ptr;
        return has_user(auth, name);
    }
    *wanted = "bearer tokens (auth.bearer)";
    return *auth->bearer.issuer != '\0';
}

static void compare_connection(const struct rule_inspection *rule, struct str arn)
{
    struct json_object *connection = rule_ask(
        rule, rule->events,
        &(struct question){ "DescribeConnection", { "Name" }, { part_of_arn(rule, arn, 1) } });
    struct str state;
    struct str reason;
    const char *wanted;

    if (!connection)
        return;
    state = json_find_str(connection, "ConnectionState");
    reason = json_find_str(connection, "StateReason");
    if (!str_equal(state, STR("AUTHORIZED")))
        RULE_SAY(rule, INSPECT_FAILURE, "the connection is %.*s%s%.*s", STR_ARG(state),
                 reason.len > 0 ? ": " : "", STR_ARG(reason));
    if (str_starts_with(state, STR("DEAUTHORIZ")))
        return; /* it has no credential to compare */
    if (fits_auth(rule, connection, &wanted))
        RULE_SAY(rule, INSPECT_FINE, "the connection sends %s", wanted);
    else if (rule->inspection->config->auth.open)
        RULE_SAY(rule, INSPECT_WARNING, "the connection sends %s, and auth.open lets anyone in",
                 wanted);
    else
        RULE_SAY(rule, INSPECT_FAILURE, "the connection sends %s, which is not configured", wanted);
}

static void compare_destination(const struct rule_inspection *rule, struct str arn)
{
    struct json_object *destination = rule_ask(
        rule, rule->events,
        &(struct question){ "DescribeApiDestination", { "Name" }, { part_of_arn(rule, arn, 1) } });
    struct str state;
    struct str method;

    if (!destination)
        return;
    state = json_find_str(destination, "ApiDestinationState");
    method = json_find_str(destination, "HttpMethod");
    if (!str_equal(state, STR("ACTIVE")))
        RULE_SAY(rule, INSPECT_FAILURE, "the API destination is %.*s", STR_ARG(state));
    if (!str_equal(method, STR("POST")))
        RULE_SAY(rule, INSPECT_FAILURE, "the API destination's method is %.*s, not POST",
                 STR_ARG(method));
    compare_url(rule, json_find_str(destination, "InvocationEndpoint"));
    compare_rate(rule, destination);
    compare_connection(rule, json_find_str(destination, "ConnectionArn"));
}

/* What arrives. */

static bool contains(struct str text, struct str part)
{
    return text.len > 0 && part.len > 0 && part.ptr &&
           memmem(text.ptr, text.len, part.ptr, part.len);
}

/* Does the template of a transformer have a member with this name? */
static bool has_member(struct str template, struct str name)
{
    struct str rest = template;

    while (contains(rest, name)) {
        const char *found = memmem(rest.ptr, rest.len, name.ptr, name.len);
        struct str before = { rest.ptr, (size_t)(found - rest.ptr) };
        struct str after = str_from(rest, before.len + name.len);

        if (str_ends_with(before, STR("\"")) && str_starts_with(after, STR("\"")) &&
            str_starts_with(str_trim(str_from(after, 1)), STR(":")))
            return true;
        rest = after;
    }
    return false;
}

/* The path of the only part of the event that the target sends; "": it sends more. */
static struct str path_of(const struct rule_inspection *rule, struct json_object *transformer)
{
    struct json_object *paths = transformer ? member_object(transformer, "InputPathsMap") : NULL;
    struct str name;

    if (!transformer)
        return json_find_str(rule->target, "InputPath");
    name = str_trim(json_find_str(transformer, "InputTemplate"));
    if (!str_starts_with(name, STR("<")) || !str_ends_with(name, STR(">")))
        return STR("");
    name = (struct str){ name.ptr + 1, name.len - 2 };
    if (str_starts_with(name, STR("aws.events.event")))
        return STR("$");
    return paths ? json_find_str(paths, arena_copy(rule->inspection->arena, name).ptr) : STR("");
}

/* Is the payload of a route in what the target sends? Without a template that is one part of the
 * event. */
static bool has_payload(struct str path, struct str template, struct str payload)
{
    struct str rest = payload.len > 0 ? str_from(payload, 1) : payload;

    return str_equal(path, STR("$")) || payload.len == 0 ||
           (path.len == 0 && has_member(template, take_until(&rest, '/')));
}

static void compare_body(const struct rule_inspection *rule)
{
    const struct config *config = rule->inspection->config;
    struct json_object *transformer = member_object(rule->target, "InputTransformer");
    struct str path = path_of(rule, transformer);
    struct str template = transformer ? json_find_str(transformer, "InputTemplate") : STR("");
    struct str sent = template.len > 0 ? template : path;

    if (json_find_str(rule->target, "Input").len > 0)
        RULE_SAY(rule, INSPECT_FAILURE, "the target sends a constant text instead of the event");
    if (sent.len == 0)
        return;
    for (size_t i = 0; i < config->route_count; i++) {
        const struct config_route *route = &config->routes[i];

        if (!has_payload(path, template, str_from_c(route->payload)))
            RULE_SAY(rule, INSPECT_WARNING,
                     "the target sends %.*s, and route %s looks for its payload at %s",
                     STR_ARG(sent), route->name, route->payload);
    }
}

static void compare_age(const struct rule_inspection *rule)
{
    const struct config_store *store = &rule->inspection->config->store;
    struct json_object *policy = member_object(rule->target, "RetryPolicy");
    int64_t age_s =
        policy ? member_number(policy, "MaximumEventAgeInSeconds", DEFAULT_AGE_S) : DEFAULT_AGE_S;

    if (!*store->path)
        return;
    if (age_s > store->dedup_window_us / US_PER_S)
        RULE_SAY(rule, INSPECT_WARNING,
                 "the rule retries for %lld s, longer than store.dedup_window: a late retry is "
                 "stored twice",
                 (long long)age_s);
    else
        RULE_SAY(rule, INSPECT_FINE, "retries end before store.dedup_window");
}

static void compare_queue_policy(const struct rule_inspection *rule, struct str arn)
{
    struct arena *arena = rule->inspection->arena;
    const char *colon = arn.len > 0 ? memrchr(arn.ptr, ':', arn.len) : NULL;
    struct json_object *found;
    struct json_object *attributes;
    struct str policy;

    if (!colon)
        return;
    found = rule_ask(rule, rule->queues,
                     &(struct question){
                         "GetQueueUrl",
                         { "QueueName" },
                         { arena_copy(arena, str_from(arn, (size_t)(colon + 1 - arn.ptr))).ptr } });
    if (!found)
        return;

    struct buf *body = arena_buf(arena, BODY_MAX);
    struct aws_failure failure = { 0 };
    const char *url = arena_copy(arena, json_find_str(found, "QueueUrl")).ptr;

    buf_add_char(body, '{');
    member_text(body, "QueueUrl", str_from_c(url));
    buf_add(body, STR(",\"AttributeNames\":[\"Policy\"]}"));
    if (!aws_client_call(rule->queues,
                         &(struct aws_call){ .operation = "GetQueueAttributes",
                                             .body = buf_str(body),
                                             .deadline_us = clock_monotonic_us() + TIMEOUT_US },
                         arena, &found, &failure)) {
        RULE_SAY(rule, failure.kind == AWS_DENIED ? INSPECT_WARNING : INSPECT_FAILURE,
                 "GetQueueAttributes: %s", failure.error.text);
        return;
    }
    attributes = member_object(found, "Attributes");
    policy = attributes ? json_find_str(attributes, "Policy") : STR("");
    if (resource_policy_judge(policy, &(struct resource_call){ .service = "events.amazonaws.com",
                                                               .action = "sqs:sendmessage",
                                                               .resource = arn,
                                                               .source_arn = rule->arn }) ==
        RESOURCE_ALLOWED)
        RULE_SAY(rule, INSPECT_FINE, "EventBridge may write to the dead-letter queue %s", url);
    else
        RULE_SAY(rule, INSPECT_FAILURE,
                 "the policy of the dead-letter queue %s does not let events.amazonaws.com send "
                 "for this rule: what is given up is lost",
                 url);
}

static void compare_dead_letters(const struct rule_inspection *rule)
{
    struct json_object *config = member_object(rule->target, "DeadLetterConfig");
    struct str arn = config ? json_find_str(config, "Arn") : STR("");

    if (arn.len == 0)
        RULE_SAY(rule, INSPECT_WARNING,
                 "the target has no dead-letter queue: what is given up is lost");
    else
        compare_queue_policy(rule, arn);
}

/* The targets. */

static bool is_api_destination(struct json_object *target)
{
    return contains(json_find_str(target, "Arn"), STR(":api-destination/"));
}

static void compare_targets(struct rule_inspection *rule)
{
    struct json_object *answer =
        rule_ask(rule, rule->events,
                 &(struct question){
                     "ListTargetsByRule", { "Rule", "EventBusName" }, { rule->name, rule->bus } });
    struct json_object *targets = NULL;
    size_t count = 0;

    if (!answer)
        return;
    (void)json_find(answer, "Targets", &targets);
    for (size_t i = 0; json_is_array(targets) && i < json_count(targets); i++) {
        rule->target = json_at(targets, i);
        if (!json_is_object(rule->target) || !is_api_destination(rule->target))
            continue;
        count++;
        compare_destination(rule, json_find_str(rule->target, "Arn"));
        compare_body(rule);
        compare_age(rule);
        compare_dead_letters(rule);
    }
    if (count == 0)
        RULE_SAY(rule, INSPECT_FAILURE, "the rule has no API destination among its targets");
}

/* Callers of the account itself need no statement that allows them. */
static void compare_bus(const struct rule_inspection *rule)
{
    struct json_object *bus = rule_ask(
        rule, rule->events, &(struct question){ "DescribeEventBus", { "Name" }, { rule->bus } });

    if (bus &&
        resource_policy_judge(json_find_str(bus, "Policy"),
                              &(struct resource_call){ .service = "",
                                                       .action = "events:putevents",
                                                       .resource = json_find_str(bus, "Arn") }) ==
            RESOURCE_DENIED)
        RULE_SAY(rule, INSPECT_WARNING,
                 "the policy of bus %s denies events:PutEvents: no event arrives there", rule->bus);
}

static void compare_rule(struct rule_inspection *rule)
{
    struct json_object *answer =
        rule_ask(rule, rule->events,
                 &(struct question){
                     "DescribeRule", { "Name", "EventBusName" }, { rule->name, rule->bus } });
    struct str state;

    if (!answer)
        return;
    rule->arn = json_find_str(answer, "Arn");
    state = json_find_str(answer, "State");
    if (str_starts_with(state, STR("ENABLED")))
        RULE_SAY(rule, INSPECT_FINE, "%s on bus %s is enabled", rule->name, rule->bus);
    else
        RULE_SAY(rule, INSPECT_FAILURE, "%s on bus %s is %.*s", rule->name, rule->bus,
                 STR_ARG(state));
    compare_bus(rule);
    compare_targets(rule);
}

void inspect_rule(const struct inspection *inspection)
{
    const char *text = inspection->options->rule;
    const char *slash = text ? strrchr(text, '/') : NULL; /* buses of partners have some, too */
    const struct aws_session_options settings = { .region = inspection->config->aws.region,
                                                  .profile = inspection->config->aws.profile };
    struct rule_inspection rule = { .inspection = inspection };
    struct error err = { 0 };

    if (!text)
        return;
    rule.bus = slash
                   ? arena_copy(inspection->arena, (struct str){ text, (size_t)(slash - text) }).ptr
                   : "default";
    rule.name = slash ? slash + 1 : text;
    if (aws_session_create(&settings, &rule.session, &err) &&
        aws_client_create(rule.session, &(struct aws_client_options){ .service = "eventbridge" },
                          &rule.events, &err) &&
        aws_client_create(rule.session, &(struct aws_client_options){ .service = "sqs" },
                          &rule.queues, &err))
        compare_rule(&rule);
    else
        RULE_SAY(&rule, INSPECT_FAILURE, "%s", err.text);
    aws_client_destroy(rule.events);
    aws_client_destroy(rule.queues);
    aws_session_destroy(rule.session);
}
