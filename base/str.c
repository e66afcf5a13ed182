/*
 * str.c - see str.h.
 */
#include "base/str.h"

#include "base/chars.h"
#include "base/utf8.h"

struct str str_trim(struct str s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

bool str_equal_ignore_case(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    if (str_equal(a, b)) /* the usual case, and much cheaper */
        return true;
    for (size_t i = 0; i < a.len; i++)
        if (char_lower(a.ptr[i]) != char_lower(b.ptr[i]))
            return false;
    return true;
}

int str_compare(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

/* After a mismatch only the last star is tried again, one character later. */
bool str_matches_glob(struct str s, struct str glob)
{
    size_t at = 0;
    size_t g = 0;
    size_t star = glob.len; /* its index; glob.len: no star yet */
    size_t retry = 0;

    while (at < s.len) {
        if (g < glob.len && glob.ptr[g] == '*') {
            star = g++;
            retry = at;
        } else if (g < glob.len && glob.ptr[g] == '?') {
            at = utf8_next(s, at);
            g++;
        } else if (g < glob.len && glob.ptr[g] == s.ptr[at]) {
            at++;
            g++;
        } else if (star < glob.len) {
            g = star + 1;
            at = retry = utf8_next(s, retry);
        } else {
            return false;
        }
    }
    while (g < glob.len && glob.ptr[g] == '*')
        g++;
    return g == glob.len;
}
