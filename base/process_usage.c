/*
 * process_usage.c - see process_usage.h.
 */
#include "base/process_usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* proc_pid_statm(5): pages of address space, and of memory in use. */
static void read_memory(struct process_usage *out)
{
    const double page = (double)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "re");
    char text[128] = "";
    char *end;

    if (!file)
        return;
    if (fgets(text, sizeof(text), file)) {
        out->virtual_bytes = strtod(text, &end) * page;
        out->resident_bytes = strtod(end, NULL) * page;
    }
    (void)fclose(file);
}

/* Since Linux 6.2 the size of the folder is the number of descriptors; before, it is 0. */
static double count_descriptors(void)
{
    struct stat folder;
    double count = 0;
    DIR *dir;

    if (stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0)
        return (double)folder.st_size;
    dir = opendir("/proc/self/fd");
    if (!dir)
        return 0;
    while (readdir(dir)) /* NOLINT(concurrency-mt-unsafe): the stream is this function's own */
        count++;
    (void)closedir(dir);
    return count - 3; /* ".", "..", and the folder itself */
}

void process_usage_read(struct process_usage *out)
{
    struct rusage usage;
    struct rlimit limit;

    *out = (struct process_usage){ 0 };
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        out->cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        out->max_fds = (double)limit.rlim_cur;
    out->open_fds = count_descriptors();
    read_memory(out);
}
