/*
 * report.c - report every error of an instance; see report.h.
 */
/* NOLINTBEGIN(misc-no-recursion): bounded by CHECK_DEPTH_MAX */
#include "schema/report.h"

#include "base/member.h"

#include <stdlib.h>

enum {
    TEXT_PER_STEP = 16, /* bytes of text that count as one step of the check */
    TEXT_MAX = 4096,    /* bytes of one text of a unit */
    VALUE_SHARE = 2,    /* a value may have half of a message that is too long */
};

/* Texts. */

static struct str finish(struct reporter *reporter, struct buf *buf)
{
    /* The texts are added in whole characters, so none is cut. */
    if (buf->overflow) {
        buf->overflow = false;
        buf->max += sizeof(ELLIPSIS) - 1;
        buf_add(buf, STR(ELLIPSIS));
    }

    struct str text = arena_copy(reporter->arena, buf_str(buf));

    buf_done(buf);
    return text;
}

static void add_pointer_token(struct buf *out, struct str key, uint64_t index)
{
    buf_add_char(out, '/');
    if (key.ptr)
        json_write_pointer_token(out, key);
    else
        buf_printf(out, "%llu", (unsigned long long)index);
}

static void print_steps(struct buf *out, const struct step *step)
{
    if (!step)
        return;
    print_steps(out, step->up);
    add_pointer_token(out, step->key, step->index);
}

static void print_frames(struct buf *out, const struct frame *frame)
{
    if (!frame)
        return;
    print_frames(out, frame->up);
    add_pointer_token(out, str_from_c(frame->keyword), 0);
    if (frame->key.ptr || frame->index >= 0)
        add_pointer_token(out, frame->key, (uint64_t)frame->index);
}

static const char *keyword_of(const struct fault *fault)
{
    if (fault->kind == FAULT_MANY)
        return "maxContains";
    return fault->kind == FAULT_FEW && fault->count > 0 ? "minContains" : fault->rule->keyword;
}

/* The reason follows the value, so a long value is shortened to make room for the reason. */
static struct str message_text(struct reporter *reporter, const struct fault *fault, size_t max)
{
    struct buf buf;

    buf_init(&buf, max);
    reporter->value_max = 0;
    message_write(reporter, &buf, fault);
    if (buf.overflow) {
        buf_done(&buf);
        buf_init(&buf, max);
        reporter->value_max = max / VALUE_SHARE;
        message_write(reporter, &buf, fault);
    }
    return finish(reporter, &buf);
}

static struct schema_unit make_unit(struct reporter *reporter, const struct fault *fault)
{
    size_t text_max = reporter->options.max_text ? reporter->options.max_text : TEXT_MAX;
    size_t max = text_max - (sizeof(ELLIPSIS) - 1);
    struct schema_unit unit;
    struct buf buf;

    buf_init(&buf, max);
    print_steps(&buf, fault->at->step);
    unit.instance_location = finish(reporter, &buf);
    buf_init(&buf, max);
    print_frames(&buf, fault->at->frame);
    if (fault->kind != FAULT_FALSE)
        add_pointer_token(&buf, str_from_c(keyword_of(fault)), 0);
    unit.keyword_location = finish(reporter, &buf);
    unit.error = message_text(reporter, fault, max);
    return unit;
}

/* Errors. */

static void keep(struct reporter *reporter, uint64_t ordinal)
{
    size_t at = reporter->kept_count++;
    size_t max = reporter->options.max_errors;

    if (reporter->rendering || (max > 0 && at >= max))
        return;
    reporter->kept = mem_grow(reporter->kept, at, &reporter->kept_capacity, sizeof(uint64_t));
    reporter->kept[at] = ordinal;
}

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

/* In the second run: write the unit of the error if it is reported. */
static void render(struct reporter *reporter, const struct fault *fault, uint64_t ordinal)
{
    const uint64_t *found = NULL;

    if (reporter->out->count > 0)
        found = bsearch(&ordinal, reporter->kept, reporter->out->count, sizeof(uint64_t), by_value);
    if (!found && ordinal != reporter->best)
        return;

    struct schema_unit unit = make_unit(reporter, fault);
    size_t written = unit.instance_location.len + unit.keyword_location.len + unit.error.len;

    (void)check_spend(&reporter->check, written / TEXT_PER_STEP);
    if (found)
        reporter->units[found - reporter->kept] = unit;
    if (ordinal != reporter->best)
        return;
    reporter->out->best = unit;
    reporter->for_log = true;
    reporter->out->reason = message_text(reporter, fault, TEXT_MAX - (sizeof(ELLIPSIS) - 1));
    reporter->for_log = false;
}

uint64_t report_reserve(struct reporter *reporter)
{
    uint64_t ordinal = reporter->next++;

    keep(reporter, ordinal);
    return ordinal;
}

bool report_reserved(struct reporter *reporter, const struct fault *fault, uint64_t ordinal,
                     uint64_t resolved)
{
    if (reporter->check.stopped)
        return false;
    if (reporter->rendering)
        render(reporter, fault, ordinal);
    else
        best_match_offer(reporter, fault, resolved);
    return false;
}

bool report_fault(struct reporter *reporter, const struct fault *fault)
{
    uint64_t ordinal = report_reserve(reporter);

    return report_reserved(reporter, fault, ordinal, ordinal);
}

/* Subschemas. */

static bool visit_rules(struct reporter *reporter, const struct visit *at)
{
    unsigned kind = kind_bit(at->value);
    bool ok = true;

    for (uint32_t i = 0; i < at->node->rule_count && !reporter->check.stopped; i++) {
        const struct rule *rule = &at->node->rules[i];

        if ((rule->kinds & kind) != 0 && !report_rule(reporter, at, rule))
            ok = false;
    }
    return ok;
}

static bool visit_tracking(struct reporter *reporter, const struct visit *at)
{
    struct visit tracking = *at;
    struct evaluated seen;

    evaluated_begin(&seen, at->value);
    report_evaluated(reporter, at, &seen);
    tracking.seen = &seen;

    bool ok = visit_rules(reporter, &tracking);

    evaluated_done(&seen);
    return ok;
}

bool report_visit(struct reporter *reporter, const struct visit *at)
{
    struct check *check = &reporter->check;

    if (at->node->is_false)
        return report_fault(reporter, &(struct fault){ .kind = FAULT_FALSE, .at = at });
    if (!check_spend(check, 1))
        return false;
    if (check->depth == CHECK_DEPTH_MAX)
        return check_stop(check);
    check->depth++;

    bool entered = check_enter(check, at->node->resource);
    bool ok = at->node->tracks ? visit_tracking(reporter, at) : visit_rules(reporter, at);

    if (entered)
        check_leave(check);
    check->depth--;
    return ok;
}

/* The two runs. */

static enum schema_verdict run(struct reporter *reporter, const struct flat *instance)
{
    const struct schema *schema = reporter->check.schema;
    struct visit root = { .node = &schema->nodes[schema->root], .value = instance };

    reporter->next = 0;
    reporter->kept_count = 0;
    reporter->level_count = 0;
    best_match_begin(reporter, 0);

    bool ok = report_visit(reporter, &root);

    if (reporter->check.stopped)
        return reporter->check.why;
    return ok ? SCHEMA_VALID : SCHEMA_INVALID;
}

static enum schema_verdict render_all(struct reporter *reporter, const struct flat *instance)
{
    size_t max = reporter->options.max_errors;
    struct schema_report *out = reporter->out;

    out->truncated = max > 0 && reporter->kept_count > max;
    out->count = out->truncated ? max : reporter->kept_count;
    reporter->units = arena_alloc(reporter->arena, out->count * sizeof(struct schema_unit));
    out->units = reporter->units;
    reporter->best = reporter->levels[0].resolved;
    reporter->rendering = true;
    return run(reporter, instance);
}

/* NOLINTNEXTLINE(readability-function-size): six parameters */
enum schema_verdict schema_report(const struct schema *schema, const struct flat *instance,
                                  const struct schema_report_options *options,
                                  struct schema_budget *budget, struct arena *arena,
                                  struct schema_report *out)
{
    struct reporter *reporter = mem_alloc(sizeof(*reporter));

    *out = (struct schema_report){ 0 };
    reporter->arena = arena;
    reporter->options = *options;
    reporter->out = out;
    check_begin(&reporter->check, schema, budget);

    enum schema_verdict verdict = run(reporter, instance);

    if (verdict == SCHEMA_INVALID)
        verdict = render_all(reporter, instance);
    check_end(&reporter->check);
    for (size_t i = 0; i < reporter->level_made; i++)
        mem_free(reporter->levels[i].best.path);
    mem_free(reporter->levels);
    mem_free(reporter->kept);
    mem_free(reporter);
    return verdict;
}
/* NOLINTEND(misc-no-recursion) */

void schema_unit_write(struct buf *out, const struct schema_unit *unit)
{
    buf_add_char(out, '{');
    member_text(out, "instanceLocation", unit->instance_location);
    member_text(out, "keywordLocation", unit->keyword_location);
    member_text(out, "error", unit->error);
    buf_add_char(out, '}');
}
