/*
 * control_socket.h - the Unix socket beside a store, by which the command line speaks to the
 * server that has the store open.
 *
 * Its name is the store's with `.control` behind it. Paths of sockets end after 107 bytes
 * (unix(7)), those of stores do not: the folder is named through its descriptor.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"

/**
 * Listen, mode 0600; what an earlier process left in its place is removed, so the store's lock must
 * be held. The caller closes `*out`. ERR_SYSTEM.
 */
NODISCARD bool control_socket_listen(const char *store_path, int *out, struct error *err);

/** Take the socket's name away. */
void control_socket_remove(const char *store_path);

/** Is a server there? Connects to it; the caller closes `*out`. False: nobody listens. */
bool control_socket_connect(const char *store_path, int *out);

/** May whoever is at the other end give orders? Root and our own user may. */
bool control_socket_trusts(int fd);
