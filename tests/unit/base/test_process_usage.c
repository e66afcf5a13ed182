/*
 * test_process_usage.c - claims about base/process_usage.h.
 */
#include "base/process_usage.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/test.h"

static void reads_what_the_process_uses(void)
{
    struct process_usage before;
    struct process_usage after;

    process_usage_read(&before);
    CHECK(before.cpu_seconds >= 0 && before.resident_bytes > 1e5);
    CHECK(before.virtual_bytes >= before.resident_bytes);
    CHECK(before.max_fds >= before.open_fds && before.open_fds >= 1);

    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    process_usage_read(&after);
    CHECK_INT((int64_t)after.open_fds, (int64_t)before.open_fds + 1);
    CHECK(after.cpu_seconds >= before.cpu_seconds);
    (void)close(fd);
}

int main(void)
{
    RUN(reads_what_the_process_uses);
    return test_end();
}
