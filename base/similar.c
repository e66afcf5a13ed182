/*
 * similar.c - see similar.h.
 */
#include "base/similar.h"

enum { LENGTH_MAX = 64, LEAST = 4, CHANGES_MAX = SIMILAR_NOT - 1 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/*
 * The edit distance of `a` and `b` (optimal string alignment): the least number of letters to
 * replace, insert, delete, or swap with the next one. Both must be shorter than LENGTH_MAX.
 */
static unsigned edit_distance(struct str a, struct str b)
{
    unsigned rows[3][LENGTH_MAX];
    unsigned *before = rows[0];
    unsigned *last = rows[1];
    unsigned *now = rows[2];

    for (size_t j = 0; j <= b.len; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned other = a.ptr[i - 1] != b.ptr[j - 1];

            now[j] = least(last[j - 1] + other, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }

        unsigned *free = before;

        before = last;
        last = now;
        now = free;
    }
    return last[b.len];
}

/* Few changes are allowed in short names, because many short words are similar. */
static unsigned most_changes(size_t len)
{
    if (len < LEAST)
        return 0;
    return len < (size_t)LEAST + 2 ? 1 : CHANGES_MAX;
}

unsigned similar_changes(struct str word, struct str known)
{
    unsigned most = most_changes(known.len);
    unsigned changes;

    if (word.len >= LENGTH_MAX || known.len >= LENGTH_MAX || known.len > word.len + most ||
        word.len > known.len + most)
        return SIMILAR_NOT;
    changes = edit_distance(word, known);
    return changes <= most ? changes : SIMILAR_NOT;
}
