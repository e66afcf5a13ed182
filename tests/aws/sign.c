/*
 * sign.c - our signer and our endpoint rules as a filter, for comparing them with other ones. Each
 * line on standard input is a JSON object: a request, or with the member "host" the choice of an
 * endpoint. The line on standard output is the headers to add, as JSON; the query of a presigned
 * request; or the endpoint's URL.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/sigv4.h"
#include "base/json.h"

enum { LINE_MAX = 1 << 20, HEADERS_MAX = 32 };

static bool flag(struct json_object *request, const char *name)
{
    struct json_object *value = NULL;

    return json_find(request, name, &value) && json_object_get_boolean(value);
}

static size_t read_headers(struct json_object *request, struct fetch_header *headers)
{
    struct json_object *list = NULL;
    size_t count = 0;

    if (!json_find(request, "headers", &list))
        return 0;
    for (; count < json_count(list) && count < HEADERS_MAX; count++) {
        struct json_object *pair = json_at(list, count);

        headers[count].name = json_str(json_at(pair, 0)).ptr;
        headers[count].value = json_str(json_at(pair, 1));
    }
    return count;
}

/* Sign the request of a line: into `headers`, or when the line has "expires", into the query. */
static struct str sign(struct json_object *line, struct arena *arena, struct sigv4_headers *added)
{
    struct fetch_header headers[HEADERS_MAX];
    struct json_object *time = NULL;
    struct json_object *expires = NULL;
    int64_t expires_s = 0;
    struct sigv4_scope scope = { .region = json_find_str(line, "region"),
                                 .service = json_find_str(line, "service"),
                                 .s3 = flag(line, "s3") };
    const struct sigv4_request request = { .method = json_find_str(line, "method").ptr,
                                           .path = json_find_str(line, "path"),
                                           .query = json_find_str(line, "query"),
                                           .headers = headers,
                                           .header_count = read_headers(line, headers),
                                           .body = json_find_str(line, "body") };
    const struct sigv4_credentials key = { json_find_str(line, "key"),
                                           json_find_str(line, "secret"),
                                           json_find_str(line, "token") };

    if (json_find(line, "time_us", &time))
        (void)json_int64(time, &scope.time_us);
    if (json_find(line, "expires", &expires) && json_int64(expires, &expires_s))
        return sigv4_presign(&request, &key, &scope, expires_s, arena);
    sigv4_sign(&request, &key, &scope, arena, added);
    return STR_NONE;
}

static const char *choose_endpoint(struct json_object *line, struct arena *arena)
{
    const struct aws_endpoint_choice choice = { json_find_str(line, "host").ptr,
                                                json_find_str(line, "region").ptr,
                                                flag(line, "fips"), flag(line, "dual_stack") };
    struct str bucket = json_find_str(line, "bucket");
    struct str custom = json_find_str(line, "custom");
    const char *url = custom.len > 0 ? custom.ptr : aws_endpoint_default(&choice, arena);
    struct aws_endpoint endpoint;
    struct error err;

    if (bucket.len == 0 || !aws_endpoint_parse(str_from_c(url), &endpoint, &err))
        return url;
    return aws_endpoint_with_bucket(&endpoint, bucket, flag(line, "path_style"), arena);
}

static void print(const struct sigv4_headers *headers, struct arena *arena)
{
    struct buf *out = arena_buf(arena, LINE_MAX);

    for (size_t i = 0; i < headers->count; i++) {
        buf_add(out, i > 0 ? STR(",") : STR("{"));
        json_write_string(out, str_from_c(headers->list[i].name));
        buf_add_char(out, ':');
        json_write_string(out, headers->list[i].value);
    }
    (void)printf("%.*s}\n", STR_ARG(buf_str(out)));
}

int main(void)
{
    char *text = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&text, &size, stdin)) > 0) {
        struct arena *arena = arena_create();
        struct sigv4_headers headers = { 0 };
        struct json_object *line;
        struct error err;

        if (!json_read_in(arena, (struct str){ text, (size_t)len }, NULL, &line, &err)) {
            (void)fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        if (json_find_str(line, "host").len > 0) {
            (void)puts(choose_endpoint(line, arena));
        } else {
            struct str query = sign(line, arena, &headers);

            if (query.ptr)
                (void)printf("%.*s\n", STR_ARG(query));
            else
                print(&headers, arena);
        }
        arena_destroy(arena);
    }
    free(text);
    return 0;
}
