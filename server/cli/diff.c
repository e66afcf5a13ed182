/*
 * diff.c - see diff.h.
 */
#include "server/cli/diff.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

enum { PATH_SIZE = 32, DIFFERENT = 1 };

/* Make `text` a file that diff(1) inherits, and write its path. */
static bool make_file(struct str text, int *fd, char path[static PATH_SIZE], struct error *err)
{
    *fd = memfd_create("diff", 0);
    if (*fd < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "memfd_create");
    while (text.len > 0) {
        ssize_t count = write(*fd, text.ptr, text.len);

        if (count < 0)
            return fail_errno(err, ERR_SYSTEM, errno, "memfd");
        text = str_from(text, (size_t)count);
    }
    (void)snprintf(path, PATH_SIZE, "/proc/self/fd/%d", *fd);
    return true;
}

static bool run_diff(const char *const argv[], bool *differs, struct error *err)
{
    pid_t pid;
    int status = 0;
    int problem = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);

    if (problem != 0)
        return fail_errno(err, ERR_SYSTEM, problem, "diff");
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status) > DIFFERENT)
        return fail(err, ERR_SYSTEM, "diff has failed");
    *differs = WEXITSTATUS(status) == DIFFERENT;
    return true;
}

bool diff_print(const struct diff_text *from, const struct diff_text *to, bool *differs,
                struct error *err)
{
    CLEANUP(file_close) int old_fd = -1;
    CLEANUP(file_close) int new_fd = -1;
    char old_path[PATH_SIZE];
    char new_path[PATH_SIZE];
    const char *const argv[] = { "diff",   "-u",     "--label", from->name, "--label",
                                 to->name, old_path, new_path,  NULL };

    (void)fflush(stdout); /* what was printed comes before what diff(1) prints */
    return make_file(from->text, &old_fd, old_path, err) &&
           make_file(to->text, &new_fd, new_path, err) && run_diff(argv, differs, err);
}
