/*
 * resource_policy.c - see resource_policy.h.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
#include "server/cli/resource_policy.h"

#include "base/buf.h"
#include "base/chars.h"
#include "base/json.h"

/* Does one text of a statement match the call? */
typedef bool text_matcher(const struct resource_call *call, struct str text);

static bool matches_principal(const struct resource_call *call, struct str text)
{
    return str_equal(text, STR("*")) ||
           (*call->service && str_equal(text, str_from_c(call->service)));
}

/* Actions are compared without regard to case. */
static bool matches_action(const struct resource_call *call, struct str text)
{
    CLEANUP(buf_done) struct buf lower;

    buf_init(&lower, SIZE_MAX);
    for (size_t i = 0; i < text.len; i++)
        buf_add_char(&lower, char_lower(text.ptr[i]));
    return str_matches_glob(str_from_c(call->action), buf_str(&lower));
}

static bool matches_resource(const struct resource_call *call, struct str text)
{
    return call->resource.len == 0 || str_matches_glob(call->resource, text);
}

static bool matches_source(const struct resource_call *call, struct str text)
{
    return str_matches_glob(call->source_arn, text);
}

static bool matches_account(const struct resource_call *call, struct str text)
{
    struct str rest = call->source_arn;

    for (int part = 0; part < 4; part++) /* arn, partition, service, region */
        (void)take_until(&rest, ':');
    return str_matches_glob(take_until(&rest, ':'), text);
}

/* A text, or one of an array. */
static bool matches_any(const struct resource_call *call, struct json_object *value,
                        text_matcher *matches)
{
    if (json_is_string(value))
        return matches(call, json_str(value));
    for (size_t i = 0; json_is_array(value) && i < json_count(value); i++)
        if (json_is_string(json_at(value, i)) && matches(call, json_str(json_at(value, i))))
            return true;
    return false;
}

/* "*", or an object of types. */
static bool is_principal(const struct resource_call *call, struct json_object *value)
{
    if (!json_is_object(value))
        return matches_any(call, value, matches_principal);
    for (JSON_EACH(member, value))
        if (matches_any(call, json_value(member), matches_principal))
            return true;
    return false;
}

/* Does one operator of a condition hold? `otherwise`: it is not known here. */
static bool operator_holds(const struct resource_call *call, struct str operator_name,
                           struct json_object *keys, bool otherwise)
{
    bool is_known =
        call->source_arn.len > 0 && (str_starts_with(operator_name, STR("StringEquals")) ||
                                     str_starts_with(operator_name, STR("StringLike")) ||
                                     str_starts_with(operator_name, STR("ArnEquals")) ||
                                     str_starts_with(operator_name, STR("ArnLike")));

    for (JSON_EACH(member, keys)) {
        struct str key = str_from_c(json_key(member));
        text_matcher *matches = str_equal_ignore_case(key, STR("aws:SourceArn")) ? matches_source
                                : str_equal_ignore_case(key, STR("aws:SourceAccount"))
                                    ? matches_account
                                    : NULL;

        if (is_known && matches ? !matches_any(call, json_value(member), matches) : !otherwise)
            return false;
    }
    return true;
}

static bool condition_holds(const struct resource_call *call, struct json_object *statement,
                            bool otherwise)
{
    struct json_object *condition = NULL;

    if (!json_find(statement, "Condition", &condition) || !json_is_object(condition))
        return true;
    for (JSON_EACH(member, condition))
        if (json_is_object(json_value(member)) &&
            !operator_holds(call, str_from_c(json_key(member)), json_value(member), otherwise))
            return false;
    return true;
}

/* Is the statement about the call? */
static bool applies(const struct resource_call *call, struct json_object *statement, bool allows)
{
    struct json_object *principal = NULL;
    struct json_object *action = NULL;
    struct json_object *resource = NULL;

    return (json_find(statement, "Principal", &principal) ? is_principal(call, principal)
                                                          : allows) &&
           (json_find(statement, "Action", &action) ? matches_any(call, action, matches_action)
                                                    : allows) &&
           (json_find(statement, "Resource", &resource)
                ? matches_any(call, resource, matches_resource)
                : allows) &&
           condition_holds(call, statement, allows);
}

static enum resource_verdict judge_statement(const struct resource_call *call,
                                             struct json_object *statement)
{
    bool allows;

    if (!json_is_object(statement))
        return RESOURCE_SILENT;
    allows = str_equal(json_find_str(statement, "Effect"), STR("Allow"));
    if (!applies(call, statement, allows))
        return RESOURCE_SILENT;
    return allows ? RESOURCE_ALLOWED : RESOURCE_DENIED;
}

enum resource_verdict resource_policy_judge(struct str policy, const struct resource_call *call)
{
    CLEANUP(json_cleanup) struct json_object *root = NULL;
    struct json_object *list = NULL;
    enum resource_verdict verdict = RESOURCE_SILENT;
    struct error malformed;

    if (!json_read(policy, NULL, &root, &malformed) || !json_is_object(root) ||
        !json_find(root, "Statement", &list))
        return RESOURCE_SILENT;
    if (!json_is_array(list))
        return judge_statement(call, list);
    for (size_t i = 0; i < json_count(list); i++) {
        enum resource_verdict one = judge_statement(call, json_at(list, i));

        if (one > verdict)
            verdict = one;
    }
    return verdict;
}
