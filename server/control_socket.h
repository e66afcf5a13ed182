/*
 * control_socket.h - the Unix socket beside a store, over which the command line reaches the server
 * that has the store open.
 *
 * Its path is the store's with `.control` appended. Socket paths are limited to 107 bytes (unix(7))
 * and store paths are not, so the folder is addressed through a descriptor.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

/**
 * Listen, with mode 0600. Removes the socket of an earlier process, so the caller must hold the
 * store's lock. The caller closes `*out`. ERR_SYSTEM.
 */
NODISCARD bool control_socket_listen(const char *store_path, int *out, struct error *err);

/** Remove the socket's name. */
void control_socket_remove(const char *store_path);

/** Connect; the caller closes `*out`. False: no server listens. */
bool control_socket_connect(const char *store_path, int *out);

/** The user id of the peer; -1: not known. */
int64_t control_socket_user(int fd);

/** May the peer give orders? True for root and for our own user. */
bool control_socket_trusts(int fd);
