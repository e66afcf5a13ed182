/*
 * test_endpoint.c - claims about aws/endpoint.h.
 */
#include "aws/endpoint.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void a_url_is_taken_apart(void)
{
    static const struct {
        const char *url;
        bool tls;
        const char *authority; /* NULL: refused */
        const char *host;
        const char *path;
    } cases[] = {
        { "https://glue.eu-west-1.amazonaws.com", true, "glue.eu-west-1.amazonaws.com",
          "glue.eu-west-1.amazonaws.com", "" },
        { "https://glue.eu-west-1.amazonaws.com/", true, "glue.eu-west-1.amazonaws.com",
          "glue.eu-west-1.amazonaws.com", "" },
        { "http://127.0.0.1:4566", false, "127.0.0.1:4566", "127.0.0.1", "" },
        { "http://127.0.0.1:4566/a/b//", false, "127.0.0.1:4566", "127.0.0.1", "/a/b" },
        { "https://h:443/x", true, "h", "h", "/x" },
        { "http://h:80", false, "h", "h", "" },
        { "https://h:80", true, "h:80", "h", "" },
        { "http://[::1]:8080/x", false, "[::1]:8080", "::1", "/x" },
        { "http://[fd00:ec2::23]", false, "[fd00:ec2::23]", "fd00:ec2::23", "" },
        { "ftp://h", false, NULL, NULL, NULL },
        { "h", false, NULL, NULL, NULL },
        { "", false, NULL, NULL, NULL },
        { "http://", false, NULL, NULL, NULL },
        { "http:///x", false, NULL, NULL, NULL },
        { "http://:80", false, NULL, NULL, NULL },
        { "http://h:", false, NULL, NULL, NULL },
        { "http://h:80x", false, NULL, NULL, NULL },
        { "http://h:123456", false, NULL, NULL, NULL },
        { "http://[::1", false, NULL, NULL, NULL },
        { "http://[]:80", false, NULL, NULL, NULL },
        { "http://[::1]x", false, NULL, NULL, NULL },
        { "http://user:secret@h", false, NULL, NULL, NULL },
        { "http://h/?a=b", false, NULL, NULL, NULL },
        { "http://h/#a", false, NULL, NULL, NULL },
        { "http://h /", false, NULL, NULL, NULL },
        { "http://h\r\nX: y", false, NULL, NULL, NULL },
        { "http://h\xC3\xA4", false, NULL, NULL, NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_endpoint endpoint = { 0 };
        struct error err = { 0 };
        bool good = cases[i].authority != NULL;

        TEST_CASE(cases[i].url);
        CHECK(aws_endpoint_parse(str_from_c(cases[i].url), &endpoint, &err) == good);
        CHECK_INT(err.code, good ? ERR_NONE : ERR_CONFIG);
        if (!good)
            continue;
        CHECK(endpoint.tls == cases[i].tls);
        CHECK_STR(endpoint.authority, cases[i].authority);
        CHECK_STR(endpoint.host, cases[i].host);
        CHECK_STR(endpoint.path, cases[i].path);
    }
}

static void aws_has_an_endpoint_for_each_region(void)
{
    static const struct {
        struct aws_endpoint_choice choice;
        const char *url;
    } cases[] = {
        { { "glue", "eu-west-1", false, false }, "https://glue.eu-west-1.amazonaws.com" },
        { { "glue", "us-gov-west-1", true, false },
          "https://glue-fips.us-gov-west-1.amazonaws.com" },
        { { "glue", "us-gov-east-1", true, true }, "https://glue-fips.us-gov-east-1.api.aws" },
        { { "firehose", "us-gov-west-1", true, false },
          "https://firehose-fips.us-gov-west-1.amazonaws.com" },
        { { "sts", "us-gov-west-1", true, false }, "https://sts.us-gov-west-1.amazonaws.com" },
        { { "sts", "us-gov-west-1", true, true }, "https://sts-fips.us-gov-west-1.api.aws" },
        { { "sts", "us-east-1", true, false }, "https://sts-fips.us-east-1.amazonaws.com" },
        { { "kinesis", "us-gov-east-1", true, false },
          "https://kinesis.us-gov-east-1.amazonaws.com" },
        { { "dynamodb", "us-gov-west-1", true, false },
          "https://dynamodb.us-gov-west-1.amazonaws.com" },
        { { "sqs", "us-gov-west-1", true, false }, "https://sqs.us-gov-west-1.amazonaws.com" },
        { { "sns", "us-gov-west-1", true, false }, "https://sns.us-gov-west-1.amazonaws.com" },
        { { "events", "us-gov-west-1", true, false },
          "https://events.us-gov-west-1.amazonaws.com" },
        { { "events", "us-gov-west-1", true, true }, "https://events.us-gov-west-1.api.aws" },
        { { "events", "us-west-2", true, false }, "https://events-fips.us-west-2.amazonaws.com" },
        { { "s3", "eu-west-1", false, false }, "https://s3.eu-west-1.amazonaws.com" },
        { { "s3", "eu-west-1", false, true }, "https://s3.dualstack.eu-west-1.amazonaws.com" },
        { { "s3", "us-gov-west-1", true, false }, "https://s3-fips.us-gov-west-1.amazonaws.com" },
        { { "s3", "us-east-1", true, true }, "https://s3-fips.dualstack.us-east-1.amazonaws.com" },
        { { "s3", "cn-north-1", false, true }, "https://s3.dualstack.cn-north-1.amazonaws.com.cn" },
        { { "glue", "us-east-1", true, false }, "https://glue-fips.us-east-1.amazonaws.com" },
        { { "glue", "us-east-1", false, true }, "https://glue.us-east-1.api.aws" },
        { { "glue", "us-east-1", true, true }, "https://glue-fips.us-east-1.api.aws" },
        { { "glue", "cn-north-1", false, false }, "https://glue.cn-north-1.amazonaws.com.cn" },
        { { "glue", "cn-north-1", false, true },
          "https://glue.cn-north-1.api.amazonwebservices.com.cn" },
        { { "sts", "us-iso-east-1", false, false }, "https://sts.us-iso-east-1.c2s.ic.gov" },
        { { "sts", "us-isob-east-1", false, false }, "https://sts.us-isob-east-1.sc2s.sgov.gov" },
        { { "sts", "eusc-de-east-1", false, false }, "https://sts.eusc-de-east-1.amazonaws.eu" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].url);
        CHECK_STR(str_from_c(aws_endpoint_default(&cases[i].choice, arena)), cases[i].url);
    }
    arena_destroy(arena);
}

static void a_bucket_is_in_the_host_name_or_in_the_path(void)
{
    static const struct {
        const char *url;
        const char *bucket;
        bool path_style;
        const char *result;
    } cases[] = {
        { "https://s3.eu-west-1.amazonaws.com", "logs", false,
          "https://logs.s3.eu-west-1.amazonaws.com" },
        { "https://s3.eu-west-1.amazonaws.com", "logs", true,
          "https://s3.eu-west-1.amazonaws.com/logs" },
        { "https://s3.eu-west-1.amazonaws.com", "a.b", false,
          "https://s3.eu-west-1.amazonaws.com/a.b" },
        { "https://s3.eu-west-1.amazonaws.com", "Logs", false,
          "https://s3.eu-west-1.amazonaws.com/Logs" },
        { "https://s3.eu-west-1.amazonaws.com", "a_b", false,
          "https://s3.eu-west-1.amazonaws.com/a_b" },
        { "https://s3.eu-west-1.amazonaws.com", "-ab", false,
          "https://s3.eu-west-1.amazonaws.com/-ab" },
        { "https://s3.eu-west-1.amazonaws.com", "ab-", false,
          "https://s3.eu-west-1.amazonaws.com/ab-" },
        { "http://127.0.0.1:9000", "logs", false, "http://127.0.0.1:9000/logs" },
        { "http://[::1]:9000/x", "logs", false, "http://[::1]:9000/x/logs" },
        { "http://minio:9000/x/", "logs", false, "http://logs.minio:9000/x" },
        { "https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com", "logs", false,
          "https://logs.bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_endpoint endpoint;
        struct error err;

        TEST_CASE(cases[i].result);
        CHECK(aws_endpoint_parse(str_from_c(cases[i].url), &endpoint, &err));
        CHECK_STR(str_from_c(aws_endpoint_with_bucket(&endpoint, str_from_c(cases[i].bucket),
                                                      cases[i].path_style, arena)),
                  cases[i].result);
    }
    arena_destroy(arena);
}

static void some_buckets_are_refused(void)
{
    static const struct {
        const char *bucket;
        const char *text; /* "": good */
    } cases[] = {
        { "logs", "" },
        { "my.logs_2-A", "" },
        { "name-0123456789abcdef0123456789abcdef-s3alias", "" },
        { "ab", "bucket: not the name of a bucket" },
        { "a/b", "bucket: not the name of a bucket" },
        { "logs?", "bucket: not the name of a bucket" },
        { "", "bucket: not the name of a bucket" },
        { "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap",
          "bucket: ARNs are not supported; for an access point use its alias" },
        { "x--euw1-az1--x-s3", "bucket: directory buckets are not supported" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = { 0 };

        TEST_CASE(cases[i].bucket);
        CHECK(aws_endpoint_check_bucket(str_from_c(cases[i].bucket), &err) == !*cases[i].text);
        CHECK_STR(str_from_c(err.text), cases[i].text);
    }
}

static void a_region_fits_into_a_host_name(void)
{
    static const struct {
        const char *region;
        bool good;
    } cases[] = {
        { "eu-west-1", true },
        { "us-gov-west-1", true },
        { "x", true },
        { "", false },
        { "-eu", false },
        { "eu west", false },
        { "EU-WEST-1", false },
        { "eu.west", false },
        { "eu/west", false },
        { "a@b", false },
        { "123456789012345678901234567890123", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].region);
        CHECK(aws_endpoint_is_region(str_from_c(cases[i].region)) == cases[i].good);
    }
}

int main(void)
{
    RUN(a_url_is_taken_apart);
    RUN(aws_has_an_endpoint_for_each_region);
    RUN(a_bucket_is_in_the_host_name_or_in_the_path);
    RUN(some_buckets_are_refused);
    RUN(a_region_fits_into_a_host_name);
    return test_end();
}
