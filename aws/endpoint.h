/*
 * endpoint.h - URLs of AWS services.
 *
 * https://docs.aws.amazon.com/general/latest/gr/rande.html
 *
 * Threads: any; no state.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/** The parts of an endpoint's URL, as slices of it. */
struct aws_endpoint {
    bool tls;
    struct str authority; /* the value of Host: with the port unless it is the scheme's default */
    struct str host;      /* without port, and without the brackets of an IPv6 address */
    struct str path;      /* the prefix of request paths, without a slash at the end; may be "" */
};

/** Split `url`, which must outlive `*out`. ERR_CONFIG: not `http[s]://HOST[:PORT][/PATH]`. */
NODISCARD bool aws_endpoint_parse(struct str url, struct aws_endpoint *out, struct error *err);

/** Is it valid in a host name: 1 to 32 lower-case letters, digits and hyphens, no hyphen first? */
bool aws_endpoint_is_region(struct str region);

struct aws_endpoint_choice {
    const char *service; /* the name in host names: "glue" */
    const char *region;
    bool fips;
    bool dual_stack;
};

/** AWS's default endpoint, for example `https://glue.eu-west-1.amazonaws.com`. In `arena`. */
const char *aws_endpoint_default(const struct aws_endpoint_choice *choice, struct arena *arena);

/**
 * Can a client work with this bucket of S3? ERR_CONFIG: it is not a name, it is an ARN (access
 * points with SigV4a among them), or a directory bucket, which needs sessions.
 */
NODISCARD bool aws_endpoint_check_bucket(struct str bucket, struct error *err);

/**
 * The URL of an S3 endpoint for calls of one bucket, in `arena`: `https://BUCKET.HOST`, or
 * `https://HOST/BUCKET` when `path_style` is set, the host is an IP address, or the bucket's name
 * has a dot or does not fit into a host name.
 */
const char *aws_endpoint_with_bucket(const struct aws_endpoint *endpoint, struct str bucket,
                                     bool path_style, struct arena *arena);
