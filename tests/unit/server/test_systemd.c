/*
 * test_systemd.c - claims about server/systemd.h, with the test as the service manager.
 */
#include "server/systemd.h"

#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/attr.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"

static struct folder folder;

static void set(const char *name, const char *value)
{
    assert(setenv(name, value, 1) == 0); /* NOLINT(concurrency-mt-unsafe): the only thread */
}

static void set_pid(const char *name, int more)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%d", (int)getpid() + more);
    set(name, text);
}

/* The manager's end of NOTIFY_SOCKET, at a path or, with '@', at an abstract name. */
static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path, path, len);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    assert(fd >= 0);
    assert(bind(fd, (const struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0);
    return fd;
}

static struct str heard(int fd, char text[static 256])
{
    ssize_t len = recv(fd, text, 256, 0);

    return (struct str){ text, len > 0 ? (size_t)len : 0 };
}

static void notifies_the_manager(void)
{
    char path[FOLDER_PATH_SIZE];
    char abstract[64];
    const char *const places[] = { path, abstract };

    folder_path(&folder, "notify", path);
    (void)snprintf(abstract, sizeof(abstract), "@sluice-test-%d", (int)getpid());
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        int fd = listen_at(places[i]);
        char text[256];

        TEST_CASE(places[i]);
        set("NOTIFY_SOCKET", places[i]);

        struct systemd *systemd = systemd_create();

        systemd_notify(systemd, "READY=1");
        CHECK_STR(heard(fd, text), "READY=1");
        systemd_notify_reloading(systemd);
        CHECK(str_starts_with(heard(fd, text), STR("RELOADING=1\nMONOTONIC_USEC=")));
        CHECK(secure_getenv("NOTIFY_SOCKET") == NULL);
        (void)close(fd);
        systemd_notify(systemd, "STOPPING=1"); /* there is no manager */
        systemd_destroy(systemd);
    }
}

static void is_silent_without_a_manager(void)
{
    static const char *const places[] = { "", "x", "/", "relative/path", "@" };

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        TEST_CASE(places[i]);
        set("NOTIFY_SOCKET", places[i]);

        struct systemd *systemd = systemd_create();

        systemd_notify(systemd, "READY=1");
        systemd_destroy(systemd);
    }
    systemd_destroy(NULL);
}

static void knows_the_interval_of_the_watchdog(void)
{
    static const struct {
        const char *usec;
        bool other_process;
        int64_t us;
    } cases[] = {
        { "3000000", false, 3000000 },
        { "3000000", true, 0 },
        { "", false, 0 },
        { "3s", false, 0 },
        { "-1", false, 0 },
        { "99999999999999999999999", false, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].usec);
        set("WATCHDOG_USEC", cases[i].usec);
        set_pid("WATCHDOG_PID", cases[i].other_process);

        struct systemd *systemd = systemd_create();

        CHECK_INT(systemd_watchdog_us(systemd), cases[i].us);
        systemd_destroy(systemd);
    }
}

static int tcp_socket(bool listening)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert(fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    if (listening)
        assert(listen(fd, 1) == 0);
    return fd;
}

/* Move `fd` to where the manager puts it. */
static void put(int fd, int place)
{
    if (fd == place)
        return;
    assert(dup2(fd, place) == place);
    (void)close(fd);
}

static void takes_sockets_by_their_names(void)
{
    struct error err = { 0 };
    int metrics = -2;
    int first = -2;
    int more = -2;

    put(tcp_socket(true), 3);
    put(tcp_socket(true), 4);
    put(tcp_socket(true), 5);
    set_pid("LISTEN_PID", 0);
    set("LISTEN_FDS", "3");
    set("LISTEN_FDNAMES", "sluice.socket:metrics");

    struct systemd *systemd = systemd_create();

    CHECK(systemd_take_socket(systemd, "metrics", &metrics, &err));
    CHECK(systemd_take_socket(systemd, NULL, &first, &err));
    CHECK(systemd_take_socket(systemd, "metrics", &more, &err));
    CHECK_INT(metrics, 4);
    CHECK_INT(first, 3);
    CHECK_INT(more, -1);
    CHECK(!systemd_check_taken(systemd, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK(systemd_take_socket(systemd, NULL, &more, &err));
    CHECK_INT(more, 5);
    CHECK(systemd_check_taken(systemd, &err));
    CHECK(fcntl(3, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(3, F_GETFL) & O_NONBLOCK);
    systemd_destroy(systemd);
    CHECK(close(3) == 0 && close(4) == 0 && close(5) == 0);
}

static void a_second_socket_of_a_name_is_left(void)
{
    struct error err = { 0 };
    int fd = -2;

    put(tcp_socket(true), 3);
    put(tcp_socket(true), 4);
    set_pid("LISTEN_PID", 0);
    set("LISTEN_FDS", "2");
    set("LISTEN_FDNAMES", "metrics:metrics");

    struct systemd *systemd = systemd_create();

    CHECK(systemd_take_socket(systemd, "metrics", &fd, &err));
    CHECK_INT(fd, 3);
    CHECK(systemd_take_socket(systemd, NULL, &fd, &err));
    CHECK_INT(fd, -1);
    CHECK(!systemd_check_taken(systemd, &err));
    systemd_destroy(systemd);
    CHECK(fcntl(4, F_GETFD) == -1); /* not taken */
    CHECK(close(3) == 0);
}

static void refuses_sockets_that_do_not_listen(void)
{
    struct error err = { 0 };
    int fd = -2;

    put(tcp_socket(false), 3);
    set_pid("LISTEN_PID", 0);
    set("LISTEN_FDS", "1");

    struct systemd *systemd = systemd_create();

    CHECK(!systemd_take_socket(systemd, NULL, &fd, &err));
    CHECK_INT(fd, -2);
    CHECK_INT(err.code, ERR_CONFIG);
    systemd_destroy(systemd);
}

static void leaves_sockets_alone_that_are_meant_for_another_process(void)
{
    struct error err = { 0 };
    int fd = -2;

    put(tcp_socket(true), 3);
    set_pid("LISTEN_PID", 1);
    set("LISTEN_FDS", "1");

    struct systemd *systemd = systemd_create();

    CHECK(systemd_take_socket(systemd, NULL, &fd, &err));
    CHECK_INT(fd, -1);
    systemd_destroy(systemd);
    CHECK(close(3) == 0);
}

int main(void)
{
    folder_init(&folder);
    RUN(takes_sockets_by_their_names);
    RUN(a_second_socket_of_a_name_is_left);
    RUN(refuses_sockets_that_do_not_listen);
    RUN(leaves_sockets_alone_that_are_meant_for_another_process);
    RUN(notifies_the_manager);
    RUN(is_silent_without_a_manager);
    RUN(knows_the_interval_of_the_watchdog);
    folder_done(&folder);
    return test_end();
}
