/*
 * turns.c - a client that compares servers by turns, in short slices.
 *
 *     turns CONNECTIONS SLICE_MS ROUNDS BODY PORT:PID...
 *
 * What else a shared machine does changes from second to second, and meets servers that are
 * measured one after the other differently. Here each server gets a slice in each round, in the
 * opposite order in every other round. In a slice all connections of the server, which stay open,
 * POST the file BODY to /events, and again when they have the answer. In BODY, NUMBER______
 * stands for digits that no other request of this run has, and TIME________________ for the present
 * time, as in an event. The client does not sleep (awake.c).
 *
 * Prints a line of JSON for each slice: the server's place among the arguments, the answers and the
 * microseconds in which they came, without the beginning, in which the server gets busy, and the
 * last ones. Then all answers, and the processor time of all threads of PID in microseconds, until
 * the server's next slice: so what a server does when it has answered is in it, and both readings
 * are of threads that sleep (proc(5): the time of one that runs is late).
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 1024,
    REQUEST_MAX = 65536,
    ANSWER_MAX = 16384,
    EVENTS = 64,
    NS_PER_US = 1000,
    NS_PER_MS = 1000000,
    NS_PER_S = 1000000000,
    WARM_MS = 20, /* before each slice: the server has rested meanwhile */
};

struct client {
    int fd;
    size_t got;
    size_t whole; /* bytes of the answer; 0: not known yet */
    char answer[ANSWER_MAX + 1];
};

struct slice {
    int64_t answers;
    int64_t time_ns;
    int64_t all_answers; /* 0: there was no slice yet */
    int64_t used_ns;     /* processor time of the server, up to its beginning */
};

struct server {
    int port;
    int pid;
    int epoll;
    struct client *clients;
    struct slice slice; /* the last one */
};

static struct {
    size_t connections;
    char request[REQUEST_MAX];
    size_t request_len;
    char *number; /* in `request`; NULL: it has none */
    char *time;   /* the same */
    time_t second;
    uint64_t sent;
} load;

static const char number_mark[] = "NUMBER______";
static const char time_mark[] = "TIME________________"; /* 2026-11-23T08:00:00Z */

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)NS_PER_S + now.tv_nsec;
}

static _Noreturn void give_up(const char *what)
{
    (void)fprintf(stderr, "turns: %s\n", what);
    _Exit(1);
}

static void check(bool ok, const char *what)
{
    if (!ok)
        give_up(what);
}

static void read_body(const char *path)
{
    char body[REQUEST_MAX / 2];
    FILE *file = fopen(path, "rbe");

    check(file != NULL, "cannot open the body");

    size_t len = fread(body, 1, sizeof(body) - 1, file);

    (void)fclose(file);
    body[len] = '\0';
    load.request_len =
        (size_t)snprintf(load.request, sizeof(load.request),
                         "POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                         "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                         len, body);
    load.number = strstr(load.request, number_mark);
    load.time = strstr(load.request, time_mark);
}

/* The first number of a thread's schedstat (proc(5)): its processor time. */
static int64_t thread_ns(int tasks, const char *thread)
{
    char path[PATH_MAX];
    char text[64] = "";

    (void)snprintf(path, sizeof(path), "%s/schedstat", thread);

    int fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) /* it has ended */
        return 0;
    check(read(fd, text, sizeof(text) - 1) > 0, "no schedstat");
    (void)close(fd);
    return strtoll(text, NULL, 10);
}

/* Processor time of all threads of the server. */
static int64_t used_ns(const struct server *server)
{
    char path[64];
    int64_t sum = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/task", server->pid);

    DIR *tasks = opendir(path);
    const struct dirent *task;

    check(tasks != NULL, "a server has ended");
    while ((task = readdir(tasks))) /* NOLINT(concurrency-mt-unsafe): one thread */
        if (*task->d_name != '.')
            sum += thread_ns(dirfd(tasks), task->d_name);
    (void)closedir(tasks);
    return sum;
}

static void connect_client(const struct server *server, struct client *client)
{
    const int on = 1;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)server->port) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(client->fd >= 0 &&
              connect(client->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
              setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
              epoll_ctl(server->epoll, EPOLL_CTL_ADD, client->fd, &event) == 0,
          "cannot connect");
}

static void write_number(void)
{
    uint64_t number = load.sent++;

    if (!load.number)
        return;
    for (size_t i = strlen(number_mark); i > 0; i--, number /= 10)
        load.number[i - 1] = (char)('0' + number % 10);
}

static void write_time(void)
{
    char text[sizeof(time_mark)];
    time_t now = time(NULL);
    struct tm parts;

    if (!load.time || now == load.second)
        return;
    load.second = now;
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    memcpy(load.time, text, strlen(text));
}

static void send_request(struct client *client)
{
    write_number();
    write_time();
    client->got = client->whole = 0;
    check(send(client->fd, load.request, load.request_len, MSG_NOSIGNAL) ==
              (ssize_t)load.request_len,
          "cannot send");
}

/* When the head is there: how long is the answer? */
static void read_head(struct client *client)
{
    const char *end = strstr(client->answer, "\r\n\r\n");
    const char *length = end ? strcasestr(client->answer, "\r\nContent-Length:") : NULL;

    if (!end)
        return;
    if (strncmp(client->answer, "HTTP/1.1 200 ", 13) != 0 || !length || length > end)
        give_up("an answer is not 200, or has no length");
    client->whole = (size_t)(end + 4 - client->answer) +
                    strtoul(length + sizeof("\r\nContent-Length:") - 1, NULL, 10);
    check(client->whole <= ANSWER_MAX, "an answer is too long");
}

/* Is the answer complete? */
static bool receive(struct client *client)
{
    ssize_t count =
        recv(client->fd, client->answer + client->got, ANSWER_MAX - client->got, MSG_DONTWAIT);

    if (count < 0 && errno == EAGAIN)
        return false;
    check(count > 0, "a connection was lost");
    client->got += (size_t)count;
    client->answer[client->got] = '\0';
    if (!client->whole)
        read_head(client);
    return client->whole > 0 && client->got >= client->whole;
}

/* Take the answers that are there, and send as many requests unless `is_over`. Returns how many. */
static size_t serve(const struct server *server, bool is_over)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(server->epoll, events, EVENTS, 0);
    size_t answers = 0;

    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;

        if (!receive(client))
            continue;
        answers++;
        if (!is_over)
            send_request(client);
    }
    return answers;
}

/* Serve up to that time. Returns the answers. */
static int64_t serve_until(const struct server *server, int64_t end_ns)
{
    int64_t answers = 0;

    while (now_ns() < end_ns)
        answers += (int64_t)serve(server, false);
    return answers;
}

/* The server begins its next slice, or the run ends. */
static void end_slice(const struct server *server, size_t index)
{
    const struct slice *slice = &server->slice;

    if (slice->all_answers > 0)
        (void)printf("{\"server\":%zu,\"answers\":%ld,\"time_us\":%ld,\"all_answers\":%ld,"
                     "\"cpu_us\":%ld}\n",
                     index, (long)slice->answers, (long)(slice->time_ns / NS_PER_US),
                     (long)slice->all_answers,
                     (long)((used_ns(server) - slice->used_ns) / NS_PER_US));
}

static void run_slice(struct server *server, int64_t ms)
{
    struct slice slice = { .used_ns = used_ns(server) };
    size_t open = load.connections;

    for (size_t i = 0; i < load.connections; i++)
        send_request(&server->clients[i]);
    slice.all_answers = serve_until(server, now_ns() + (int64_t)WARM_MS * NS_PER_MS);

    int64_t begun_ns = now_ns();

    slice.answers = serve_until(server, begun_ns + ms * NS_PER_MS);
    slice.time_ns = now_ns() - begun_ns;
    while (open > 0)
        open -= serve(server, true);
    slice.all_answers += slice.answers + (int64_t)load.connections;
    server->slice = slice;
}

static struct server begin(const char *argument)
{
    struct server server = { .epoll = epoll_create1(EPOLL_CLOEXEC) };
    char *end;

    server.port = (int)strtol(argument, &end, 10);
    check(*end == ':', "PORT:PID is wanted");
    server.pid = (int)strtol(end + 1, NULL, 10);
    server.clients = calloc(load.connections, sizeof(*server.clients));
    check(server.epoll >= 0 && server.clients, "no memory");
    for (size_t i = 0; i < load.connections; i++)
        connect_client(&server, &server.clients[i]);
    return server;
}

static void end(struct server *server)
{
    for (size_t i = 0; i < load.connections; i++)
        (void)close(server->clients[i].fd);
    free(server->clients);
    (void)close(server->epoll);
}

int main(int argc, char **argv)
{
    enum { FIRST = 5, SERVERS_MAX = 8 };
    struct server servers[SERVERS_MAX];
    size_t count = argc > FIRST ? (size_t)argc - FIRST : 0;

    check(count > 0 && count <= SERVERS_MAX,
          "CONNECTIONS SLICE_MS ROUNDS BODY PORT:PID... are wanted");
    load.connections = strtoul(argv[1], NULL, 10);
    check(load.connections > 0 && load.connections <= CONNECTIONS_MAX, "too many connections");
    read_body(argv[4]);

    long ms = strtol(argv[2], NULL, 10);
    long rounds = strtol(argv[3], NULL, 10);

    for (size_t i = 0; i < count; i++)
        servers[i] = begin(argv[FIRST + i]);
    for (long round = 0; round < rounds; round++)
        for (size_t i = 0; i < count; i++) {
            size_t next = round % 2 ? count - 1 - i : i;

            end_slice(&servers[next], next);
            run_slice(&servers[next], ms);
        }
    for (size_t i = 0; i < count; i++) {
        end_slice(&servers[i], i);
        end(&servers[i]);
    }
    return 0;
}
