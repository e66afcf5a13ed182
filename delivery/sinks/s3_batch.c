/*
 * s3_batch.c - see s3_batch.h.
 */
#include "delivery/sinks/s3_batch.h"

static const size_t nowhere = SIZE_MAX;

/* The group with this prefix: most often that of the record before. */
static size_t find_group(const struct s3_groups *groups, struct str prefix, size_t before)
{
    if (before != nowhere && str_equal(groups->list[before].prefix, prefix))
        return before;
    for (size_t i = 0; i < groups->count; i++)
        if (str_equal(groups->list[i].prefix, prefix))
            return i;
    return nowhere;
}

static void note_covered(struct s3_group *group, const struct s3_sorting *sorting)
{
    group->covered = group->doubtful = INT64_MIN;
    for (size_t i = 0; i < sorting->covered_count; i++)
        if (str_equal(sorting->covered[i].prefix, group->prefix)) {
            group->covered = sorting->covered[i].last;
            group->doubtful = sorting->covered[i].doubtful;
        }
}

/* Give each group its records, in order; `group_of` has the group's index for each record. */
static void collect(struct s3_groups *groups, const struct sink_batch *batch,
                    const size_t *group_of)
{
    const struct sink_record **all =
        arena_alloc(batch->arena, (batch->count + 1) * sizeof(const struct sink_record *));
    size_t next[S3_GROUPS_MAX];
    size_t used = 0;

    for (size_t i = 0; i < groups->count; i++) {
        groups->list[i].lines.records = all + used;
        next[i] = used;
        used += groups->list[i].lines.count;
    }
    for (size_t i = 0; i < groups->taken; i++)
        if (group_of[i] != nowhere)
            all[next[group_of[i]]++] = &batch->records[i];
}

/* The group of the prefix, a new one if need be. False: it would need one group too many. */
static bool place(struct s3_groups *groups, struct str prefix, const struct s3_sorting *sorting,
                  size_t *at)
{
    *at = find_group(groups, prefix, *at);
    if (*at == nowhere && groups->count == S3_GROUPS_MAX)
        return false;
    if (*at == nowhere) {
        *at = groups->count++;
        groups->list[*at].prefix = arena_copy(sorting->batch->arena, prefix);
        note_covered(&groups->list[*at], sorting);
    }
    return true;
}

struct s3_groups *s3_batch_sort(const struct s3_sorting *sorting, struct sink_outcome *outcomes)
{
    const struct sink_batch *batch = sorting->batch;
    struct s3_groups *groups = arena_alloc(batch->arena, sizeof(*groups));
    size_t *group_of = arena_alloc(batch->arena, batch->count * sizeof(*group_of));
    struct arena *scratch = arena_create();
    size_t at = nowhere;

    for (; groups->taken < batch->count; groups->taken++) {
        size_t i = groups->taken;
        struct str prefix;
        const char *reason;

        arena_reset(scratch);
        group_of[i] = nowhere;
        if (!s3_prefix_make(sorting->prefix, &batch->records[i], scratch, &prefix, &reason)) {
            outcomes[i].result = SINK_IMPOSSIBLE;
            outcomes[i].reason = arena_copy(batch->arena, str_from_c(reason)).ptr;
            continue;
        }
        if (!place(groups, prefix, sorting, &at))
            break;
        if (batch->records[i].sequence <= groups->list[at].covered) {
            outcomes[i].result = SINK_DELIVERED;
            continue;
        }
        group_of[i] = at;
        groups->list[at].lines.count++;
    }
    arena_destroy(scratch);
    collect(groups, batch, group_of);
    return groups;
}
