/*
 * test_output.c - claims about server/output.h.
 */
#include "server/output.h"

#include "base/attr.h"
#include "tests/unit/test.h"

enum { TEXT_MAX = 1024 };

static void writes_columns(void)
{
    struct buf out;

    buf_init(&out, TEXT_MAX);
    output_column(&out, STR("ab"), 4);
    output_column(&out, STR_NONE, 2);
    output_column(&out, STR("abc"), 1);
    output_time_column(&out, 1705314600123456);
    output_time_column(&out, 0);
    CHECK_STR(buf_str(&out), "ab   -  abc 2024-01-15T10:30:00Z                      ");
    buf_done(&out);
}

int main(void)
{
    RUN(writes_columns);
    return test_end();
}
