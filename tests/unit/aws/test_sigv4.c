/*
 * test_sigv4.c - claims about aws/sigv4.h: AWS's published vectors, and the rules at their edges.
 *
 * The signatures are those of AWS's signing test suite (aws-c-auth, aws-signing-test-suite/v4) and
 * of its documentation.
 */
#include "aws/sigv4.h"

#include "tests/unit/test.h"

#define KEY_ID     "AKIDEXAMPLE"
#define SECRET     "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define STS_TOKEN                                                                                  \
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSP" \
    "fIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT" \
    "7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlz" \
    "m8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

static const int64_t suite_time_us = 1440938160000000; /* 2015-08-30T12:36:00Z */

enum { HEADERS_MAX = 4 };

static const struct vector {
    const char *name;
    const char *method;
    const char *path;
    const char *query;
    struct fetch_header headers[HEADERS_MAX]; /* besides Host */
    const char *body;
    const char *token;
    const char *signed_headers;
    const char *signature;
} vectors[] = {
    { "get-vanilla",
      "GET",
      "/",
      "",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-vanilla-with-session-token",
      "GET",
      "/",
      "",
      { { 0 } },
      "",
      "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
      "host;x-amz-date;x-amz-security-token",
      "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8" },
    { "get-vanilla-query-order-key-case",
      "GET",
      "/",
      "Param2=value2&Param1=value1",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
    { "get-vanilla-query-unreserved",
      "GET",
      "/",
      UNRESERVED "=" UNRESERVED,
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
    { "get-vanilla-utf8-query",
      "GET",
      "/",
      "\xE1\x88\xB4=bar",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
    { "get-unreserved",
      "GET",
      "/" UNRESERVED,
      "",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
    { "get-utf8",
      "GET",
      "/\xE1\x88\xB4",
      "",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
    { "get-relative",
      "GET",
      "/example/..",
      "",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-relative-relative",
      "GET",
      "/example1/example2/../..",
      "",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-slash",
      "GET",
      "//",
      "",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-slash-dot-slash",
      "GET",
      "/./",
      "",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-slashes",
      "GET",
      "//example//",
      "",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84" },
    { "get-slash-pointless-dot",
      "GET",
      "/./example",
      "",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5" },
    { "get-space",
      "GET",
      "/example space/",
      "",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
    { "get-header-key-duplicate",
      "GET",
      "/",
      "",
      { { "My-Header1", STR_INIT("value2") },
        { "My-Header1", STR_INIT("value2") },
        { "My-Header1", STR_INIT("value1") } },
      "",
      "",
      "host;my-header1;x-amz-date",
      "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
    { "get-header-value-order",
      "GET",
      "/",
      "",
      { { "My-Header1", STR_INIT("value4") },
        { "My-Header1", STR_INIT("value1") },
        { "My-Header1", STR_INIT("value3") },
        { "My-Header1", STR_INIT("value2") } },
      "",
      "",
      "host;my-header1;x-amz-date",
      "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01" },
    { "get-header-value-trim",
      "GET",
      "/",
      "",
      { { "My-Header1", STR_INIT(" value1") }, { "My-Header2", STR_INIT(" \"a   b   c\"") } },
      "",
      "",
      "host;my-header1;my-header2;x-amz-date",
      "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
    { "post-vanilla",
      "POST",
      "/",
      "",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
    { "post-vanilla-query",
      "POST",
      "/",
      "Param1=value1",
      { { 0 } },
      "",
      "",
      "host;x-amz-date",
      "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },
    { "post-header-key-sort",
      "POST",
      "/",
      "",
      { { "My-Header1", STR_INIT("value1") } },
      "",
      "",
      "host;my-header1;x-amz-date",
      "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
    { "post-header-value-case",
      "POST",
      "/",
      "",
      { { "My-Header1", STR_INIT("VALUE1") } },
      "",
      "",
      "host;my-header1;x-amz-date",
      "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d" },
    { "post-sts-header-before",
      "POST",
      "/",
      "",
      { { 0 } },
      "",
      STS_TOKEN,
      "host;x-amz-date;x-amz-security-token",
      "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead" },
    { "post-x-www-form-urlencoded",
      "POST",
      "/",
      "",
      { { "Content-Type", STR_INIT("application/x-www-form-urlencoded") } },
      "Param1=value1",
      "",
      "content-type;host;x-amz-date",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
    { "post-x-www-form-urlencoded-parameters",
      "POST",
      "/",
      "",
      { { "Content-Type", STR_INIT("application/x-www-form-urlencoded; charset=utf8") } },
      "Param1=value1",
      "",
      "content-type;host;x-amz-date",
      "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe" },
};

static const struct sigv4_scope suite_scope = {
    .region = STR_INIT("us-east-1"),
    .service = STR_INIT("service"),
    .time_us = suite_time_us,
};

static struct str find(const struct sigv4_headers *headers, const char *name)
{
    for (size_t i = 0; i < headers->count; i++)
        if (strcmp(headers->list[i].name, name) == 0)
            return headers->list[i].value;
    return STR_NONE;
}

static void the_published_vectors_come_out(void)
{
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        const struct vector *vector = &vectors[i];
        struct fetch_header headers[HEADERS_MAX + 1] = { { "Host",
                                                           STR_INIT("example.amazonaws.com") } };
        struct sigv4_headers out;
        size_t count = 1;

        TEST_CASE(vector->name);
        for (size_t j = 0; j < HEADERS_MAX && vector->headers[j].name; j++)
            headers[count++] = vector->headers[j];
        sigv4_sign(
            &(struct sigv4_request){ .method = vector->method,
                                     .path = str_from_c(vector->path),
                                     .query = str_from_c(vector->query),
                                     .headers = headers,
                                     .header_count = count,
                                     .body = str_from_c(vector->body) },
            &(struct sigv4_credentials){ STR(KEY_ID), STR(SECRET), str_from_c(vector->token) },
            &suite_scope, arena, &out);
        CHECK_STR(find(&out, "X-Amz-Date"), "20150830T123600Z");
        CHECK_STR(find(&out, "X-Amz-Security-Token"), vector->token);
        CHECK_STR(find(&out, "Authorization"),
                  arena_printf(arena,
                               "AWS4-HMAC-SHA256 "
                               "Credential=" KEY_ID "/20150830/us-east-1/service/aws4_request, "
                               "SignedHeaders=%s, Signature=%s",
                               vector->signed_headers, vector->signature)
                      .ptr);
    }
    arena_destroy(arena);
}

/* From the documentation of S3's Authorization header: GET object with a range, and PUT object. */
static void the_documented_requests_to_s3_come_out(void)
{
    static const struct fetch_header get[] = {
        { "Host", STR_INIT("examplebucket.s3.amazonaws.com") },
        { "Range", STR_INIT("bytes=0-9") },
    };
    static const struct fetch_header put[] = {
        { "Host", STR_INIT("examplebucket.s3.amazonaws.com") },
        { "Date", STR_INIT("Fri, 24 May 2013 00:00:00 GMT") },
        { "x-amz-storage-class", STR_INIT("REDUCED_REDUNDANCY") },
    };
    static const struct {
        const char *name;
        struct sigv4_request request;
        const char *end;
    } cases[] = {
        { "GET",
          { "GET", STR_INIT("/test.txt"), STR_INIT(""), get, COUNT_OF(get), STR_INIT("") },
          "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
          "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
        { "PUT",
          { "PUT", STR_INIT("/test%24file.text"), STR_INIT(""), put, COUNT_OF(put),
            STR_INIT("Welcome to Amazon S3.") },
          "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, "
          "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
        { "a subresource",
          { "GET", STR_INIT("/"), STR_INIT("lifecycle"), get, 1, STR_INIT("") },
          "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
          "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
        { "a list",
          { "GET", STR_INIT("/"), STR_INIT("prefix=J&max-keys=2"), get, 1, STR_INIT("") },
          "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
          "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
    };
    static const struct sigv4_scope scope = {
        .region = STR_INIT("us-east-1"),
        .service = STR_INIT("s3"),
        .time_us = 1369353600000000, /* 2013-05-24T00:00:00Z */
        .s3 = true,
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sigv4_headers out;

        TEST_CASE(cases[i].name);
        sigv4_sign(&cases[i].request,
                   &(struct sigv4_credentials){ STR("AKIAIOSFODNN7EXAMPLE"),
                                                STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                                                STR_NONE },
                   &scope, arena, &out);
        CHECK(find(&out, "X-Amz-Content-Sha256").len == 64);
        CHECK(str_ends_with(find(&out, "Authorization"), str_from_c(cases[i].end)));
    }
    arena_destroy(arena);
}

static void paths_and_queries_have_one_spelling(void)
{
    static const struct {
        const char *name;
        const char *path;
        const char *query;
        bool s3;
        const char *line;
    } cases[] = {
        { "encoded once more", "/a%20b/%3A", "", false, "/a%2520b/%253A\n\n" },
        { "S3 encodes once", "/a%20b/%3A", "", true, "/a%20b/%3A\n\n" },
        { "S3 keeps the path", "/a//./../b/", "", true, "/a//./../b/\n\n" },
        { "nothing left", "/..", "", false, "/\n\n" },
        { "above the root", "/../../a", "", false, "/a\n\n" },
        { "dots in names", "/.a/..b/c..", "", false, "/.a/..b/c..\n\n" },
        { "a folder", "/a/b/../", "", false, "/a/\n\n" },
        { "no value", "/", "acl", false, "/\nacl=\n" },
        { "an empty value", "/", "acl=", false, "/\nacl=\n" },
        { "no name", "/", "=x", false, "/\n=x\n" },
        { "nothing between", "/", "b&&a", false, "/\n=&a=&b=\n" },
        { "by name, then value", "/", "b=2&a=3&b=1&a-=4", false, "/\na=3&a-=4&b=1&b=2\n" },
        { "capitals first", "/", "a=1&B=2", false, "/\nB=2&a=1\n" },
        { "order of the encoded", "/", "%7E=1&%2A=2&~=0", false, "/\n%2A=2&~=0&~=1\n" },
        { "low hex digits", "/", "a=%2f%3a", false, "/\na=%2F%3A\n" },
        { "needless encoding", "/", "%61=%62", false, "/\na=b\n" },
        { "left plain", "/", "a=b/c:d+e f", false, "/\na=b%2Fc%3Ad%2Be%20f\n" },
        { "a value with =", "/", "a=b=c", false, "/\na=b%3Dc\n" },
        { "a lone percent sign", "/", "a=%&b=%2&c=%zz", false, "/\na=%25&b=%252&c=%25zz\n" },
        { "at the end", "/", "a=%41", false, "/\na=A\n" },
    };
    static const struct fetch_header host = { "Host", STR_INIT("h") };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sigv4_scope scope = suite_scope;
        struct str canonical;

        TEST_CASE(cases[i].name);
        scope.s3 = cases[i].s3;
        canonical = sigv4_canonical(&(struct sigv4_request){ .method = "GET",
                                                             .path = str_from_c(cases[i].path),
                                                             .query = str_from_c(cases[i].query),
                                                             .headers = &host,
                                                             .header_count = 1 },
                                    &scope, arena);

        struct str expected =
            arena_printf(arena,
                         "GET\n%shost:h\n\nhost\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649"
                         "b934ca495991b7852b855",
                         cases[i].line);

        CHECK_STR(canonical, expected.ptr);
    }
    arena_destroy(arena);
}

static void long_tokens_and_bodies_are_signed(void)
{
    static char token[12001];
    static const struct fetch_header host = { "Host", STR_INIT("h") };
    struct arena *arena = arena_create();
    struct sigv4_headers out;

    memset(token, 't', sizeof(token) - 1);
    sigv4_sign(&(struct sigv4_request){ .method = "POST",
                                        .path = STR("/"),
                                        .headers = &host,
                                        .header_count = 1,
                                        .body = str_from_c(token) },
               &(struct sigv4_credentials){ STR(KEY_ID), STR(SECRET), str_from_c(token) },
               &suite_scope, arena, &out);
    CHECK_INT((int64_t)out.count, 3);
    CHECK(str_ends_with(find(&out, "Authorization"),
                        STR("Signature="
                            "f9f48813f147314c559f020639142e8505ca55b18b6fad872828d93b6bd6d81a")));
    arena_destroy(arena);
}

int main(void)
{
    RUN(the_published_vectors_come_out);
    RUN(the_documented_requests_to_s3_come_out);
    RUN(paths_and_queries_have_one_spelling);
    RUN(long_tokens_and_bodies_are_signed);
    return test_end();
}
