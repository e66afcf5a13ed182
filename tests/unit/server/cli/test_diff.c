/*
 * test_diff.c - claims about server/cli/diff.h.
 */
#include "server/cli/diff.h"

#include "base/arena.h"
#include "tests/unit/test.h"

#define HEAD "--- a\n+++ b\n"

static void differences_read_as_diff_u_writes_them(void)
{
    static const struct {
        const char *name;
        const char *old_text;
        const char *new_text;
        const char *diff; /* "": none */
    } cases[] = {
        { "nothing", "", "", "" },
        { "the same", "a\nb\n", "a\nb\n", "" },
        { "a last newline more", "a\nb", "a\nb\n", "" },
        { "all new", "", "a\nb\n", HEAD "@@ -0,0 +1,2 @@\n+a\n+b\n" },
        { "all gone", "a\n", "", HEAD "@@ -1,1 +0,0 @@\n-a\n" },
        { "one changed", "a\nb\nc\n", "a\nx\nc\n", HEAD "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n" },
        { "context of three", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
          HEAD "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n" },
        { "two hunks", "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "x\n1\n2\n3\n4\n5\n6\n7\ny\n",
          HEAD "@@ -1,4 +1,4 @@\n-a\n+x\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+y\n" },
        { "near enough for one", "a\n1\n2\n3\n4\n5\n6\nb\n", "x\n1\n2\n3\n4\n5\n6\ny\n",
          HEAD "@@ -1,8 +1,8 @@\n-a\n+x\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+y\n" },
        { "moved", "a\nb\nc\n", "b\nc\na\n", HEAD "@@ -1,3 +1,3 @@\n-a\n b\n c\n+a\n" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_create();
        struct buf *out = arena_buf(arena, 10000);

        TEST_CASE(cases[i].name);
        CHECK_INT(
            diff_write(out, str_from_c(cases[i].old_text), "a", str_from_c(cases[i].new_text), "b"),
            cases[i].diff[0] != '\0');
        CHECK_STR(buf_str(out), cases[i].diff);
        arena_destroy(arena);
    }
}

static void what_is_too_long_to_compare_is_shown_whole(void)
{
    enum { LINES = 5000 };
    struct arena *arena = arena_create();
    struct buf *out = arena_buf(arena, 10000000);
    struct buf *old_text = arena_buf(arena, 1000000);
    struct buf *new_text = arena_buf(arena, 1000000);
    size_t removed = 0;

    for (int i = 0; i < LINES; i++) {
        buf_printf(old_text, "%d\n", i);
        buf_printf(new_text, "%d\n", -i - 1);
    }
    CHECK(diff_write(out, buf_str(old_text), "a", buf_str(new_text), "b"));
    for (size_t i = 1; i < out->len; i++)
        removed += out->ptr[i - 1] == '\n' && out->ptr[i] == '-';
    CHECK(removed >= LINES);
    arena_destroy(arena);
}

int main(void)
{
    RUN(differences_read_as_diff_u_writes_them);
    RUN(what_is_too_long_to_compare_is_shown_whole);
    return test_end();
}
