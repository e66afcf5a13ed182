/*
 * test_control_socket.c - claims about server/control_socket.h.
 */
#include "server/control_socket.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/folder.h"
#include "tests/unit/test.h"

static bool meets(const char *path)
{
    struct error err = { 0 };
    int listener;
    int client;

    if (!control_socket_listen(path, &listener, &err))
        return false;

    bool connected = control_socket_connect(path, &client);
    int fd = connected ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
    bool trusted = fd >= 0 && control_socket_trusts(fd);

    (void)close(fd);
    (void)close(client);
    (void)close(listener);
    return trusted;
}

static void connects_beside_the_store(void)
{
    struct folder folder;
    char path[FOLDER_PATH_SIZE];

    folder_init(&folder);
    folder_path(&folder, "store.db", path);
    CHECK(meets(path));
    CHECK(meets(path)); /* though the first one's name is still there */
    control_socket_remove(path);
    folder_done(&folder);
}

/* A path over the limit of Unix socket addresses. */
static void connects_in_a_deep_folder(void)
{
    struct folder folder;
    char name[140];
    char path[FOLDER_PATH_SIZE];

    (void)memset(name, 'd', sizeof(name));
    memcpy(name + sizeof(name) - sizeof("/s.db"), "/s.db", sizeof("/s.db"));
    folder_init(&folder);
    folder_write(&folder, name, STR("")); /* makes the folder */
    folder_path(&folder, name, path);
    CHECK(strlen(path) > 107);
    CHECK(meets(path));
    control_socket_remove(path);
    folder_done(&folder);
}

static void finds_no_server(void)
{
    struct folder folder;
    char path[FOLDER_PATH_SIZE];
    struct error err = { 0 };
    int fd;

    folder_init(&folder);
    folder_path(&folder, "store.db", path);
    CHECK(!control_socket_connect(path, &fd));
    folder_path(&folder, "missing/store.db", path);
    CHECK(!control_socket_connect(path, &fd));
    CHECK(!control_socket_listen(path, &fd, &err));
    CHECK_INT((int64_t)err.code, ERR_SYSTEM);
    control_socket_remove(path);
    folder_done(&folder);
}

int main(void)
{
    RUN(connects_beside_the_store);
    RUN(connects_in_a_deep_folder);
    RUN(finds_no_server);
    return test_end();
}
