/*
 * regex_breadth.c - a search without backtracking, on pcre2_dfa_match().
 *
 * It follows all paths through the pattern at once, character by character. So its memory depends
 * on the pattern alone, and from one starting place its time is linear in the text. It cannot
 * follow back-references.
 *
 * PCRE2 counts no steps here. For a pattern with one starting place and no look-around the size of
 * the workspace bounds them: it limits the paths at each character. Other patterns are compiled a
 * second time with a callout before each item, and the callouts are counted as steps; that takes
 * two to three times as long.
 */
#include "base/buf.h"
#include "base/memory.h"
#include "base/regex_ecma_internal.h"
#include "base/regex_internal.h"

enum {
    STEPS_BETWEEN_CHECKS = 256,
    INTS_PER_PATH = 6,     /* of workspace */
    PATHS_FIRST = 700,     /* at a character, with callouts: the first try ... */
    PATHS_LAST = 700 << 6, /* ... and the last one */
    PATHS_PLAIN = 64, /* the most without callouts; each path is compared with all others, ... */
    COMPARISONS = 16, /* ... and so many comparisons take as long as a step */
};

struct regex_breadth *regex_breadth_create(struct str pattern)
{
    struct regex_breadth *breadth = mem_alloc(sizeof(*breadth));

    breadth->pattern = (struct str){ mem_copy(pattern.ptr, pattern.len), pattern.len };
    return breadth;
}

void regex_breadth_destroy(struct regex_breadth *breadth)
{
    if (!breadth)
        return;
    pcre2_code_free(atomic_load(&breadth->code));
    mem_free((void *)breadth->pattern.ptr);
    mem_free(breadth);
}

static pcre2_code *compile(struct str pattern)
{
    CLEANUP(buf_done) struct buf rewritten;
    struct regex_problem ignored;
    struct error err;

    buf_init(&rewritten, SIZE_MAX);
    /* The rewrite has succeeded before. With callouts the pattern may be too large for PCRE2. */
    return regex_ecma_rewrite(pattern, &rewritten, &err)
               ? regex_code(buf_str(&rewritten),
                            (struct regex_mode){ .options = PCRE2_AUTO_CALLOUT }, NULL, &ignored)
               : NULL;
}

static const pcre2_code *get_code(struct regex_breadth *breadth)
{
    pcre2_code *code = atomic_load(&breadth->code);
    pcre2_code *none = NULL;

    if (code || atomic_load(&breadth->failed))
        return code;
    code = compile(breadth->pattern);
    if (!code) {
        atomic_store(&breadth->failed, true);
        return NULL;
    }
    if (atomic_compare_exchange_strong(&breadth->code, &none, code))
        return code;
    pcre2_code_free(code); /* another thread was first */
    return none;
}

static int on_item(pcre2_callout_block *block, void *data)
{
    struct search *s = data;

    (void)block;
    return ++s->spent % STEPS_BETWEEN_CHECKS == 0 && regex_overspent(s) ? PCRE2_ERROR_CALLOUT : 0;
}

static int run_breadth(struct search *s, const pcre2_code *code, size_t paths)
{
    size_t size = (paths + 1) * INTS_PER_PATH;
    int *workspace = mem_alloc_array(size, sizeof(int));
    int rc = pcre2_dfa_match(code, (PCRE2_SPTR)s->text.ptr, s->text.len, 0,
                             PCRE2_NO_UTF_CHECK | PCRE2_DFA_SHORTEST, s->matcher->data,
                             s->matcher->context, workspace, size);

    mem_free(workspace);
    return rc;
}

/* The number of paths at each character that the steps left can pay for. */
static size_t affordable_paths(const struct search *s)
{
    uint64_t steps = (s->most - s->spent) / (s->text.len + 1);
    size_t paths = PATHS_PLAIN;

    while (paths > 0 && paths + paths * paths / COMPARISONS > steps)
        paths--;
    return paths;
}

static int run_plain(struct search *s)
{
    size_t paths = s->regex->anchored && !s->regex->looks_around ? affordable_paths(s) : 0;

    return paths > 0 ? run_breadth(s, s->regex->code, paths) : PCRE2_ERROR_DFA_WSSIZE;
}

static int run_with_callouts(struct search *s)
{
    const pcre2_code *code = get_code(s->regex->breadth);
    int rc = PCRE2_ERROR_DFA_WSSIZE;

    if (!code)
        return rc;
    (void)pcre2_set_callout(s->matcher->context, on_item, s);
    for (size_t paths = PATHS_FIRST; rc == PCRE2_ERROR_DFA_WSSIZE && paths <= PATHS_LAST;
         paths *= 4)
        rc = regex_overspent(s) ? PCRE2_ERROR_CALLOUT : run_breadth(s, code, paths);
    (void)pcre2_set_callout(s->matcher->context, NULL, NULL);
    return rc;
}

enum regex_verdict regex_breadth_search(struct search *s)
{
    int rc;

    if (regex_overspent(s))
        return REGEX_TOO_EXPENSIVE;
    (void)pcre2_set_match_limit(s->matcher->context, UINT32_MAX);
    rc = run_plain(s);
    if (rc == PCRE2_ERROR_DFA_WSSIZE)
        rc = run_with_callouts(s);
    /* Time that was spent without callouts counts, too. */
    (void)regex_overspent(s);
    return regex_verdict_of(rc);
}
