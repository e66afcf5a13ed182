/*
 * s3_bucket.c - see s3_bucket.h.
 */
#include "delivery/sinks/s3_bucket.h"

#include "aws/endpoint.h"
#include "base/chars.h"

enum { NAME_MIN = 3, NAME_MAX = 255, ACCOUNT_DIGITS = 12 };

static bool is_name_char(char c)
{
    return char_is_alnum(c) || char_is_one_of(c, ".-_");
}

static bool is_access_point_char(char c)
{
    return char_is_lower(c) || char_is_digit(c) || c == '-';
}

/* `arn:PARTITION:s3:REGION:ACCOUNT:accesspoint/NAME`; a colon may stand before the name, too. */
static bool read_arn(struct str text, struct arena *arena, struct s3_bucket *out, struct error *err)
{
    (void)take_until(&text, ':');
    (void)take_until(&text, ':');

    struct str service = take_until(&text, ':');
    struct str region = take_until(&text, ':');
    struct str account = take_until(&text, ':');

    if (!str_equal(service, STR("s3")))
        return fail(err, ERR_CONFIG, "an ARN of %.*s is not supported: expected one of s3",
                    STR_ARG(service));
    if (str_starts_with(text, STR("accesspoint")) && region.len == 0)
        return fail(err, ERR_CONFIG,
                    "a multi-Region access point is not supported: it needs SigV4A signatures");
    text = str_from(text, sizeof("accesspoint") - 1);
    if (!aws_endpoint_is_region(region) || account.len != ACCOUNT_DIGITS ||
        !all_are(account, char_is_digit) || !take_char(&text, "/:") ||
        !all_are(text, is_access_point_char))
        return fail(err, ERR_CONFIG,
                    "expected arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME or a bucket's name");
    out->name = arena_printf(arena, "%.*s-%.*s", STR_ARG(text), STR_ARG(account)).ptr;
    out->region = arena_copy(arena, region).ptr;
    out->endpoint_url = aws_endpoint_default(
        &(struct aws_endpoint_choice){ "s3-accesspoint", out->region, false, false }, arena);
    return true;
}

bool s3_bucket_read(const char *text, struct arena *arena, struct s3_bucket *out, struct error *err)
{
    struct str name = str_from_c(text);

    *out = (struct s3_bucket){ .name = text };
    if (str_starts_with(name, STR("arn:")))
        return read_arn(name, arena, out, err);
    if (str_ends_with(name, STR("--x-s3")) || str_ends_with(name, STR("--xa-s3")))
        return fail(err, ERR_CONFIG, "a directory bucket is not supported: it needs sessions");
    if (str_ends_with(name, STR(".mrap")))
        return fail(err, ERR_CONFIG,
                    "a multi-Region access point is not supported: it needs SigV4A signatures");
    if (name.len < NAME_MIN || name.len > NAME_MAX || !all_are(name, is_name_char) ||
        !char_is_alnum(name.ptr[0]))
        return fail(err, ERR_CONFIG, "expected a bucket's name or an access point's ARN");
    return true;
}
