/*
 * endpoint.h - where a service of AWS is.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/** An endpoint taken apart. Slices of the URL. */
struct aws_endpoint {
    bool tls;
    struct str authority; /* as in Host: with the port, unless it is the scheme's own */
    struct str host;      /* without port, and without the brackets of an IPv6 address */
    struct str path;      /* what requests' paths begin with; "" when there is none */
};

/** ERR_CONFIG: it is not `http[s]://HOST[:PORT][/PATH]`. */
NODISCARD bool aws_endpoint_parse(struct str url, struct aws_endpoint *out, struct error *err);

/** A region's name can stand in a host name: small letters, digits and hyphens. */
bool aws_endpoint_is_region(struct str region);

struct aws_endpoint_choice {
    const char *service; /* as in host names */
    const char *region;
    bool fips;
    bool dual_stack;
};

/** AWS's own endpoint for the service: `https://glue.eu-west-1.amazonaws.com`. In the arena. */
const char *aws_endpoint_default(const struct aws_endpoint_choice *choice, struct arena *arena);
