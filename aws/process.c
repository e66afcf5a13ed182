/*
 * process.c - see process.h.
 */
#include "aws/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"

enum { WORDS_MAX = 64, READ_SIZE = 4096 };

/* The words of a command; they point into `text`. */
struct command {
    char *text;
    char *words[WORDS_MAX + 1];
    size_t count;
};

/* A running program. */
struct process {
    pid_t pid;
    int pid_fd; /* readable when the program has ended */
    int output; /* our end of the pipe; -1: closed */
};

/*
 * Copy one word from `*from` to `*to` without quotes and backslashes, and advance both. A backslash
 * escapes the next character except within single quotes. False: a quote is not closed.
 */
static bool copy_word(const char **from, char **to)
{
    char quote = '\0';
    const char *in = *from;
    char *out = *to;

    for (; *in && (quote || !char_is_space(*in)); in++) {
        if (quote && *in == quote)
            quote = '\0';
        else if (!quote && (*in == '"' || *in == '\''))
            quote = *in;
        else if (*in == '\\' && quote != '\'' && in[1])
            *out++ = *++in;
        else
            *out++ = *in;
    }
    *from = *in ? in + 1 : in;
    *out++ = '\0';
    *to = out;
    return !quote;
}

static bool split(const char *text, struct command *command, struct error *err)
{
    char *to = command->text;

    while (char_is_space(*text))
        text++;
    while (*text) {
        if (command->count == WORDS_MAX)
            return fail(err, ERR_CONFIG, "more than %d words", WORDS_MAX);
        command->words[command->count++] = to;
        if (!copy_word(&text, &to))
            return fail(err, ERR_CONFIG, "a quote is not closed");
        while (char_is_space(*text))
            text++;
    }
    return command->count > 0 || fail(err, ERR_CONFIG, "an empty command");
}

/* Is the name of `variable` ("NAME=VALUE") in the list? An entry that ends in '_' is a prefix. */
static bool is_one_of(const char *variable, const char *const *names, size_t count)
{
    size_t len = strcspn(variable, "=");

    for (size_t i = 0; i < count; i++) {
        size_t wanted = strlen(names[i]);
        bool is_prefix = names[i][wanted - 1] == '_';

        if (len >= wanted && strncmp(variable, names[i], wanted) == 0 &&
            (is_prefix || len == wanted))
            return true;
    }
    return false;
}

/* Pass on what programs commonly need and what AWS's tools read, but no secrets. */
static bool is_passed_on(const char *variable)
{
    static const char *const passed[] = {
        "PATH",       "HOME",        "USER",          "LOGNAME",      "SHELL",    "LANG",
        "LC_",        "TZ",          "TMPDIR",        "XDG_",         "AWS_",     "http_proxy",
        "HTTP_PROXY", "https_proxy", "no_proxy",      "HTTPS_PROXY",  "NO_PROXY", "all_proxy",
        "ALL_PROXY",  "LANGUAGE",    "SSL_CERT_FILE", "SSL_CERT_DIR",
    };
    static const char *const kept[] = {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    };

    return is_one_of(variable, passed, COUNT_OF(passed)) &&
           !is_one_of(variable, kept, COUNT_OF(kept));
}

/* The program's environment. The caller frees the list; its strings belong to `environ`. */
static char **make_environment(void)
{
    size_t count = 0;

    while (environ[count])
        count++;

    char **list = mem_alloc_array(count + 1, sizeof(list[0]));
    size_t passed = 0;

    for (size_t i = 0; i < count; i++)
        if (is_passed_on(environ[i]))
            list[passed++] = environ[i];
    return list;
}

/* Start it in a process group of its own, so that a kill also reaches its children. */
static int spawn(const struct command *command, int output, pid_t *pid)
{
    const short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t ignored; /* signals that Sluice ignores: without a reset exec() would keep that */

    assert(command->count > 0);
    (void)sigemptyset(&none);
    (void)sigemptyset(&ignored);
    (void)sigaddset(&ignored, SIGPIPE);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setflags(&attributes, flags);
    (void)posix_spawnattr_setpgroup(&attributes, 0);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &ignored);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);

    (void)posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);

    char **environment = make_environment();
    int problem =
        posix_spawnp(pid, command->words[0], &actions, &attributes, command->words, environment);

    mem_free(environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return problem;
}

static bool start(const struct command *command, struct process *process, struct error *err)
{
    int pipe_fds[2];

    if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return fail_errno(err, ERR_SYSTEM, errno, "no pipe");

    /* The program's end of the pipe must block: programs do not expect EAGAIN. */
    (void)fcntl(pipe_fds[1], F_SETFL, 0);

    int problem = spawn(command, pipe_fds[1], &process->pid);

    (void)close(pipe_fds[1]);
    process->output = pipe_fds[0];
    if (problem != 0) {
        (void)close(pipe_fds[0]);
        return fail_errno(err, ERR_SYSTEM, problem, "%s", command->words[0]);
    }
    process->pid_fd = pidfd_open(process->pid, 0);
    return true;
}

/* Read all that is available now; close the pipe at its end. */
static void read_output(struct process *process, struct buf *out)
{
    char bytes[READ_SIZE];
    ssize_t count = -1;

    while (process->output >= 0 && (count = read(process->output, bytes, sizeof(bytes))) > 0)
        buf_add(out, (struct str){ bytes, (size_t)count });
    secret_wipe(bytes, sizeof(bytes));
    if (process->output >= 0 && count == 0) {
        (void)close(process->output);
        process->output = -1;
    }
}

/* Read until the program has ended. False: it still runs and must be killed. */
static bool attend(struct process *process, int64_t deadline_us, int stop_fd, struct buf *out,
                   struct error *err)
{
    struct pollfd fds[] = { { .fd = process->pid_fd, .events = POLLIN },
                            { .fd = process->output, .events = POLLIN },
                            { .fd = stop_fd, .events = POLLIN } };

    if (process->pid_fd < 0)
        return fail(err, ERR_SYSTEM, "the system does not let us wait for it");
    while (!fds[0].revents) {
        int64_t left_us = deadline_us - clock_monotonic_us();

        if (left_us <= 0)
            return fail(err, ERR_UNREACHABLE, "it takes too long");
        (void)poll(fds, COUNT_OF(fds), (int)(left_us / US_PER_MS + 1));
        if (fds[2].revents)
            return fail(err, ERR_UNREACHABLE, "interrupted");
        read_output(process, out);
        fds[1].fd = process->output;
        if (out->overflow)
            return fail(err, ERR_UNREACHABLE, "it says too much");
    }
    return true;
}

static bool finish(struct process *process, bool ended, struct error *err)
{
    int status = 0;

    if (!ended)
        (void)kill(-process->pid, SIGKILL);
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (process->output >= 0)
        (void)close(process->output);
    if (process->pid_fd >= 0)
        (void)close(process->pid_fd);
    if (!ended)
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    return fail(err, ERR_UNREACHABLE, "it ended with %s %d",
                WIFEXITED(status) ? "status" : "signal",
                WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

bool process_run(const char *command, int64_t timeout_us, int stop_fd, struct buf *out,
                 struct error *err)
{
    struct command parts = { .text = mem_alloc(strlen(command) + 2) };
    struct process process = { .output = -1, .pid_fd = -1 };
    bool ok = split(command, &parts, err) && start(&parts, &process, err);

    mem_free(parts.text);
    if (!ok)
        return false;
    return finish(&process, attend(&process, clock_monotonic_us() + timeout_us, stop_fd, out, err),
                  err);
}
