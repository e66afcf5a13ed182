/*
 * awake.c - keeps the client of a measurement awake: preloaded into wrk, epoll_wait() never sleeps.
 *
 * A client that sleeps is woken by the server's send(), and the kernel charges the server for it:
 * about 5 us a request. A fast server keeps the client busy and pays nothing, a slower one pays
 * each time. That is no work of a server: in production, the client is another machine.
 */
#include <stddef.h>
#include <sys/epoll.h>

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int epoll_wait(int epoll, struct epoll_event *events, int size, int timeout)
{
    (void)timeout;
    return epoll_pwait(epoll, events, size, 0, NULL);
}
