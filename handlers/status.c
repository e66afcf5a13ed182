/*
 * status.c - see status.h.
 */
#include "handlers/status.h"

#include "base/attr.h"
#include "base/flat.h"
#include "base/member.h"

static const char processing[] = "Processing failed";
static const char unavailable[] = "Service unavailable";

static const struct status_row tutorial[CONDITION_COUNT] = {
    [CONDITION_VALID] = { "valid", NULL, 200, false },
    [CONDITION_DUPLICATE] = { "duplicate", NULL, 200, false },
    [CONDITION_DROPPED] = { "dropped", NULL, 200, false },
    [CONDITION_MALFORMED] = { "malformed", processing, 400, false },
    [CONDITION_UNROUTED] = { "unrouted", processing, 400, false },
    [CONDITION_SCHEMA_INVALID] = { "schema_invalid", "Schema validation failed", 400, false },
    [CONDITION_TOO_EXPENSIVE] = { "too_expensive", processing, 400, false },
    [CONDITION_TRANSFORM_FAILED] = { "transform_failed", processing, 400, false },
    [CONDITION_SCHEMA_NOT_FOUND] = { "schema_not_found", processing, 400, false },
    [CONDITION_REGISTRY_DENIED] = { "registry_denied", processing, 400, false },
    [CONDITION_REGISTRY_UNREACHABLE] = { "registry_unreachable", processing, 400, false },
    [CONDITION_SCHEMA_UNUSABLE] = { "schema_unusable", processing, 400, false },
    [CONDITION_REGISTRY_UNAVAILABLE] = { "registry_unavailable", "AWS Glue service unavailable",
                                         500, false },
    [CONDITION_INTERNAL] = { "internal", "Internal server error", 500, false },
    [CONDITION_UNAVAILABLE] = { "unavailable", unavailable, 503, true },
};

/* What `status_map: eventbridge` changes; the other rows are the tutorial's. */
static const struct status_row eventbridge[CONDITION_COUNT] = {
    [CONDITION_SCHEMA_NOT_FOUND] = { "schema_not_found", unavailable, 503, true },
    [CONDITION_REGISTRY_DENIED] = { "registry_denied", unavailable, 503, true },
    [CONDITION_REGISTRY_UNREACHABLE] = { "registry_unreachable", unavailable, 503, true },
    [CONDITION_SCHEMA_UNUSABLE] = { "schema_unusable", unavailable, 503, true },
};

static const enum condition registry_conditions[] = {
    [ERR_NONE] = CONDITION_INTERNAL,
    [ERR_MALFORMED] = CONDITION_SCHEMA_UNUSABLE,
    [ERR_INVALID] = CONDITION_SCHEMA_UNUSABLE,
    [ERR_TOO_EXPENSIVE] = CONDITION_SCHEMA_UNUSABLE,
    [ERR_NOT_FOUND] = CONDITION_SCHEMA_NOT_FOUND,
    [ERR_DENIED] = CONDITION_REGISTRY_DENIED,
    [ERR_UNREACHABLE] = CONDITION_REGISTRY_UNREACHABLE,
    [ERR_THROTTLED] = CONDITION_REGISTRY_UNAVAILABLE,
    [ERR_UNAVAILABLE] = CONDITION_UNAVAILABLE,
    [ERR_CONFIG] = CONDITION_INTERNAL,
    [ERR_INTERNAL] = CONDITION_INTERNAL,
    [ERR_SYSTEM] = CONDITION_INTERNAL,
};

const struct status_row *status_row(enum status_map map, enum condition condition)
{
    if (map == STATUS_MAP_EVENTBRIDGE && eventbridge[condition].condition)
        return &eventbridge[condition];
    return &tutorial[condition];
}

enum condition status_of_step(enum err_code code, enum condition refusal)
{
    switch (code) {
    case ERR_MALFORMED:
        return CONDITION_MALFORMED;
    case ERR_INVALID:
    case ERR_NOT_FOUND:
        return refusal;
    case ERR_TOO_EXPENSIVE:
        return CONDITION_TOO_EXPENSIVE;
    case ERR_UNAVAILABLE:
        return CONDITION_UNAVAILABLE;
    default:
        return CONDITION_INTERNAL;
    }
}

enum condition status_of_registry(enum err_code code)
{
    return registry_conditions[code];
}

const char *status_map_name(enum status_map map)
{
    return map == STATUS_MAP_EVENTBRIDGE ? "eventbridge" : "tutorial";
}

const char *status_name(enum condition condition)
{
    return status_row(STATUS_MAP_TUTORIAL, condition)->condition;
}

bool status_has_name(struct str name)
{
    for (enum condition i = 0; i < CONDITION_COUNT; i++)
        if (str_equal(name, str_from_c(status_name(i))))
            return true;
    return false;
}

void status_write_map(struct buf *out, enum status_map map)
{
    buf_add_char(out, '{');
    member_text(out, "status_map", str_from_c(status_map_name(map)));
    member_open(out, "rows", '[');
    for (enum condition i = 0; i < CONDITION_COUNT; i++) {
        const struct status_row *row = status_row(map, i);

        buf_add(out, i ? STR(",{") : STR("{"));
        member_text(out, "condition", str_from_c(row->condition));
        member_int(out, "status", row->status);
        member_text(out, "error", row->error ? str_from_c(row->error) : STR_NONE);
        member_bool(out, "retry_after", row->retry_after);
        buf_add_char(out, '}');
    }
    buf_add(out, STR("]}"));
}
