/*
 * proxy_header.h - the PROXY protocol, versions 1 and 2: the header with which a proxy names the
 * client of a connection, before the client's own bytes.
 *
 * Version 1 is a line of text, version 2 is binary (haproxy.org, proxy-protocol.txt). The values
 * behind the addresses of version 2 (TLVs) are skipped.
 *
 * Threads: any.
 */
#pragma once

#include <stddef.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/str.h"

/* Bytes of the longest header that is read. */
enum { HTTP_PROXY_HEADER_MAX = 4096 };

enum http_proxy_result {
    HTTP_PROXY_MORE,    /* so far the bytes may begin a header */
    HTTP_PROXY_ABSENT,  /* they do not begin one */
    HTTP_PROXY_INVALID, /* they begin one that is malformed or too long */
    HTTP_PROXY_READ,
};

struct http_proxy_header {
    size_t len;                     /* bytes of the header */
    struct sockaddr_storage source; /* of the client. Family 0: the proxy connects for itself, or
                                       does not know the client */
};

/** Read the header at the start of `bytes`. `*out` is set with HTTP_PROXY_READ only. */
NODISCARD enum http_proxy_result http_proxy_header_read(struct str bytes,
                                                        struct http_proxy_header *out);
