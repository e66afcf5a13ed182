/*
 * interrupt.c - see interrupt.h.
 */
#include "server/cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t came;

static void note(int signal)
{
    (void)signal;
    came = 1;
}

void interrupt_watch(void)
{
    const struct sigaction action = { .sa_handler = note,
                                      .sa_flags = (int)SA_RESETHAND | SA_RESTART };

    came = 0;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool interrupt_came(void)
{
    return came != 0;
}
