/*
 * test_s3_bucket.c - delivery/sinks/s3_bucket.h.
 */
#include "delivery/sinks/s3_bucket.h"

#include "base/attr.h"
#include "tests/unit/test.h"

struct row {
    const char *text;
    const char *name; /* NULL: refused */
    const char *rest; /* region and endpoint, or the error */
};

static const struct row rows[] = {
    { "my-bucket", "my-bucket", " " },
    { "my.bucket.with.dots", "my.bucket.with.dots", " " },
    { "Old_Bucket", "Old_Bucket", " " },
    { "orders-u5ao1example-s3alias", "orders-u5ao1example-s3alias", " " },
    { "arn:aws:s3:eu-west-1:123456789012:accesspoint/orders", "orders-123456789012",
      "eu-west-1 https://s3-accesspoint.eu-west-1.amazonaws.com" },
    { "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint:orders", "orders-123456789012",
      "cn-north-1 https://s3-accesspoint.cn-north-1.amazonaws.com.cn" },
    { "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap", NULL,
      "a multi-Region access point is not supported: it needs SigV4A signatures" },
    { "mfzwi23gnjvgw.mrap", NULL,
      "a multi-Region access point is not supported: it needs SigV4A signatures" },
    { "fast--use1-az4--x-s3", NULL, "a directory bucket is not supported: it needs sessions" },
    { "point--use1-az4--xa-s3", NULL, "a directory bucket is not supported: it needs sessions" },
    { "arn:aws:s3express:us-east-1:123456789012:bucket/fast--use1-az4--x-s3", NULL,
      "an ARN of s3express is not supported: expected one of s3" },
    { "arn:aws:s3-outposts:us-east-1:123456789012:outpost/op-1/accesspoint/a", NULL,
      "an ARN of s3-outposts is not supported: expected one of s3" },
    { "arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/a", NULL,
      "an ARN of s3-object-lambda is not supported: expected one of s3" },
    { "arn:aws:s3:::bucket", NULL,
      "expected arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME or a bucket's name" },
    { "arn:aws:s3:eu-west-1:12:accesspoint/orders", NULL,
      "expected arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME or a bucket's name" },
    { "arn:aws:s3:eu-west-1:123456789012:accesspoint/", NULL,
      "expected arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME or a bucket's name" },
    { "arn:aws:s3:eu-west-1/x:123456789012:accesspoint/a", NULL,
      "expected arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME or a bucket's name" },
    { "ab", NULL, "expected a bucket's name or an access point's ARN" },
    { "a/b/c", NULL, "expected a bucket's name or an access point's ARN" },
    { "-abc", NULL, "expected a bucket's name or an access point's ARN" },
    { "a b c", NULL, "expected a bucket's name or an access point's ARN" },
    { "", NULL, "expected a bucket's name or an access point's ARN" },
};

static void buckets_and_access_points_are_told_apart(void)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_create();
        struct s3_bucket bucket;
        struct error err;
        bool ok = s3_bucket_read(rows[i].text, arena, &bucket, &err);

        TEST_CASE(rows[i].text);
        CHECK(ok == (rows[i].name != NULL));
        if (ok) {
            CHECK_STR(str_from_c(bucket.name), rows[i].name);
            CHECK_STR(arena_printf(arena, "%s %s", bucket.region ? bucket.region : "",
                                   bucket.endpoint_url ? bucket.endpoint_url : ""),
                      rows[i].rest);
        } else {
            CHECK_STR(str_from_c(err.text), rows[i].rest);
            CHECK_INT(err.code, ERR_CONFIG);
        }
        arena_destroy(arena);
    }
}

int main(void)
{
    RUN(buckets_and_access_points_are_told_apart);
    return test_end();
}
