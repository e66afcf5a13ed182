/*
 * endpoint.c - see endpoint.h.
 */
#include "aws/endpoint.h"

#include "base/chars.h"

enum {
    BUCKET_MIN = 3, /* characters */
    BUCKET_MAX = 255,
    LABEL_MAX = 63, /* of one part of a host name */
};

/* How host names end in AWS's partitions; the first matching row counts. */
static const struct partition {
    struct str prefix; /* of the region's name */
    const char *suffix;
    const char *dual_stack_suffix;
} partitions[] = {
    { STR_INIT("cn-"), "amazonaws.com.cn", "api.amazonwebservices.com.cn" },
    { STR_INIT("us-isob-"), "sc2s.sgov.gov", "api.aws.scloud" },
    { STR_INIT("us-isof-"), "csp.hci.ic.gov", "api.aws.hci.ic.gov" },
    { STR_INIT("us-iso-"), "c2s.ic.gov", "api.aws.ic.gov" },
    { STR_INIT("eu-isoe-"), "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk" },
    { STR_INIT("eusc-"), "amazonaws.eu", "api.amazonwebservices.eu" },
    { STR_INIT(""), "amazonaws.com", "api.aws" },
};

bool aws_endpoint_is_region(struct str region)
{
    for (size_t i = 0; i < region.len; i++) {
        char c = region.ptr[i];

        if (!char_is_lower(c) && !char_is_digit(c) && c != '-')
            return false;
    }
    return region.len > 0 && region.len <= 32 && region.ptr[0] != '-';
}

/*
 * Has the service a host name with "-fips"? In us-gov regions the default hosts of these services
 * are FIPS endpoints already, and there is no second name.
 */
static bool has_fips_host(const struct aws_endpoint_choice *choice)
{
    static const char *const without[] = { "sts", "kinesis", "dynamodb", "sqs", "sns", "kafka" };
    bool is_events = strcmp(choice->service, "events") == 0;

    if (!str_starts_with(str_from_c(choice->region), STR("us-gov-")))
        return true;
    for (size_t i = 0; i < COUNT_OF(without) && !choice->dual_stack; i++)
        if (strcmp(choice->service, without[i]) == 0)
            return false;
    return !is_events;
}

const char *aws_endpoint_default(const struct aws_endpoint_choice *choice, struct arena *arena)
{
    const struct partition *partition = partitions;
    bool is_s3 = strcmp(choice->service, "s3") == 0;
    const char *fips = choice->fips && has_fips_host(choice) ? "-fips" : "";

    while (!str_starts_with(str_from_c(choice->region), partition->prefix))
        partition++;
    if (is_s3) /* dual-stack hosts of S3 are older than the domains for dual-stack */
        return arena_printf(arena, "https://s3%s%s.%s.%s", fips,
                            choice->dual_stack ? ".dualstack" : "", choice->region,
                            partition->suffix)
            .ptr;
    return arena_printf(arena, "https://%s%s.%s.%s", choice->service, fips, choice->region,
                        choice->dual_stack ? partition->dual_stack_suffix : partition->suffix)
        .ptr;
}

static bool is_clean(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || strchr("?#@\\\"<>", text.ptr[i]))
            return false;
    return text.len > 0;
}

/* Split into host (an IPv6 address has brackets) and ":PORT". False: not a host and a port. */
static bool split_port(struct str authority, struct str *host, struct str *port)
{
    bool brackets = str_starts_with(authority, STR("["));
    const char *end = memchr(authority.ptr, brackets ? ']' : ':', authority.len);
    size_t len = end ? (size_t)(end - authority.ptr) : authority.len;

    if (brackets && !end)
        return false;
    *host =
        brackets ? (struct str){ authority.ptr + 1, len - 1 } : (struct str){ authority.ptr, len };
    *port = str_from(authority, brackets ? len + 1 : len);
    if (port->len == 0)
        return host->len > 0;
    if (port->ptr[0] != ':' || port->len < 2 || port->len > 6)
        return false;
    return all_are(str_from(*port, 1), char_is_digit) && host->len > 0;
}

bool aws_endpoint_parse(struct str url, struct aws_endpoint *out, struct error *err)
{
    struct aws_endpoint endpoint = { .tls = str_starts_with(url, STR("https://")) };
    struct str rest = str_from(url, endpoint.tls ? 8 : 7);
    const char *slash = rest.len ? memchr(rest.ptr, '/', rest.len) : NULL;
    struct str port;

    if ((!endpoint.tls && !str_starts_with(url, STR("http://"))) || !is_clean(rest))
        return fail(err, ERR_CONFIG, "endpoint: expected http[s]://HOST[:PORT]");
    endpoint.authority = (struct str){ rest.ptr, slash ? (size_t)(slash - rest.ptr) : rest.len };
    endpoint.path = str_from(rest, endpoint.authority.len);
    while (str_ends_with(endpoint.path, STR("/")))
        endpoint.path.len--;
    if (endpoint.authority.len == 0 || !split_port(endpoint.authority, &endpoint.host, &port))
        return fail(err, ERR_CONFIG, "endpoint: expected http[s]://HOST[:PORT]");
    if (str_equal(port, endpoint.tls ? STR(":443") : STR(":80")))
        endpoint.authority.len -= port.len;
    *out = endpoint;
    return true;
}

static bool is_label_char(char c)
{
    return char_is_lower(c) || char_is_digit(c) || c == '-';
}

static bool is_bucket_char(char c)
{
    return char_is_alnum(c) || char_is_one_of(c, "._-");
}

static bool is_ip_char(char c)
{
    return char_is_digit(c) || c == '.';
}

static bool is_ip_address(struct str host)
{
    return memchr(host.ptr, ':', host.len) || all_are(host, is_ip_char);
}

bool aws_endpoint_check_bucket(struct str bucket, struct error *err)
{
    if (str_starts_with(bucket, STR("arn:")))
        return fail(err, ERR_CONFIG,
                    "bucket: ARNs are not supported; for an access point use its alias");
    if (str_ends_with(bucket, STR("--x-s3")))
        return fail(err, ERR_CONFIG, "bucket: directory buckets are not supported");
    if (bucket.len < BUCKET_MIN || bucket.len > BUCKET_MAX || !all_are(bucket, is_bucket_char))
        return fail(err, ERR_CONFIG, "bucket: not the name of a bucket");
    return true;
}

/* Can the bucket's name be in the host name? A name with a dot fits no certificate. */
static bool fits_host_name(struct str bucket)
{
    return bucket.len <= LABEL_MAX && all_are(bucket, is_label_char) && bucket.ptr[0] != '-' &&
           !str_ends_with(bucket, STR("-"));
}

const char *aws_endpoint_with_bucket(const struct aws_endpoint *endpoint, struct str bucket,
                                     bool path_style, struct arena *arena)
{
    const char *scheme = endpoint->tls ? "https" : "http";

    if (path_style || !fits_host_name(bucket) || is_ip_address(endpoint->host))
        return arena_printf(arena, "%s://%.*s%.*s/%.*s", scheme, STR_ARG(endpoint->authority),
                            STR_ARG(endpoint->path), STR_ARG(bucket))
            .ptr;
    return arena_printf(arena, "%s://%.*s.%.*s%.*s", scheme, STR_ARG(bucket),
                        STR_ARG(endpoint->authority), STR_ARG(endpoint->path))
        .ptr;
}
