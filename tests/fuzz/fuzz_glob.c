/*
 * fuzz_glob.c - the quick glob matcher agrees with the table that defines it.
 *
 * The input is the glob, a newline, the text.
 */
#include <assert.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/utf8.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's choice */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONGEST = 256 };

static bool begins_character(struct str s, size_t at)
{
    return at >= s.len || ((unsigned char)s.ptr[at] & 0xC0) != 0x80;
}

/* Where the character at `at` ends. */
static size_t character_end(struct str s, size_t at)
{
    do
        at++;
    while (!begins_character(s, at));
    return at;
}

/* match[j] of a row: does the glob from here match the text from j? Rows from the last sign on. */
static bool matches(struct str s, struct str glob)
{
    bool row[LONGEST + 1] = { false };

    row[s.len] = true;
    for (size_t i = glob.len; i-- > 0;) {
        bool above[LONGEST + 1];

        memcpy(above, row, sizeof(above));
        for (size_t j = s.len + 1; j-- > 0;) {
            if (glob.ptr[i] == '*')
                row[j] = above[j] || (j < s.len && row[character_end(s, j)]);
            else if (glob.ptr[i] == '?')
                row[j] = j < s.len && above[character_end(s, j)];
            else
                row[j] = j < s.len && glob.ptr[i] == s.ptr[j] && above[j + 1];
        }
    }
    return row[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = { (const char *)data, size };
    const char *newline = size > 0 ? memchr(data, '\n', size) : NULL;

    if (!newline)
        return 0;

    struct str glob = { input.ptr, (size_t)(newline - input.ptr) };
    struct str text = str_from(input, glob.len + 1);

    if (text.len > LONGEST || !utf8_is_valid(text) || !utf8_is_valid(glob))
        return 0;
    assert(str_matches_glob(text, glob) == matches(text, glob));
    return 0;
}
