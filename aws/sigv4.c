/*
 * sigv4.c - see sigv4.h. The only user of OpenSSL in aws/.
 */
#include "aws/sigv4.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/secret.h"
#include "base/uri.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

enum {
    CANONICAL_MAX = 1 << 20, /* bytes; more than the path, query and headers of any call */
    HEX_LEN = 2 * SIGV4_DIGEST_SIZE,
    DAY_SIZE = 8, /* the date in the time: 20150830 */
};

/* A header or a query parameter, in canonical form. */
struct pair {
    struct str name;
    struct str value;
    size_t place; /* index in the request, so that equal names keep their order */
};

static const char upper_hex[] = "0123456789ABCDEF";

static struct str to_hex(struct arena *arena, const uint8_t digest[static SIGV4_DIGEST_SIZE])
{
    struct buf *hex = arena_buf(arena, HEX_LEN);

    buf_add_hex(hex, digest, SIGV4_DIGEST_SIZE);
    return buf_str(hex);
}

static struct str hex_digest(struct arena *arena, struct str bytes)
{
    uint8_t digest[SIGV4_DIGEST_SIZE];

    secret_digest(bytes, digest);
    return to_hex(arena, digest);
}

/* Write 20150830T123600Z: clock_format() without punctuation and fraction. */
static void write_time(int64_t time_us, char text[static SIGV4_TIME_SIZE])
{
    char full[CLOCK_TEXT_SIZE];
    size_t len = 0;

    clock_format(time_us, full);
    for (size_t i = 0; full[i] != '.'; i++)
        if (full[i] != '-' && full[i] != ':')
            text[len++] = full[i];
    text[len++] = 'Z';
    text[len] = '\0';
}

static bool is_unreserved(char c)
{
    return char_is_alnum(c) || char_is_one_of(c, "-._~");
}

void sigv4_encode(struct buf *out, struct str text, bool keep_slash)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (is_unreserved(text.ptr[i]) || (keep_slash && c == '/'))
            buf_add_char(out, text.ptr[i]);
        else
            buf_add(out,
                    (struct str){ (const char[]){ '%', upper_hex[c >> 4], upper_hex[c & 15] }, 3 });
    }
}

/* Decode and encode a part of the query, so that its encoding is canonical. */
static struct str encode_again(struct arena *arena, struct str part)
{
    struct buf *out = arena_buf(arena, 3 * part.len + 1);

    sigv4_encode(out, uri_decode(arena, part), false);
    return buf_str(out);
}

static size_t count_of(struct str text, char mark)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == mark;
    return count;
}

static int order_parameters(const void *left, const void *right)
{
    const struct pair *a = left;
    const struct pair *b = right;
    int order = str_compare(a->name, b->name);

    return order ? order : str_compare(a->value, b->value);
}

static void add_query(struct buf *out, struct str query, struct arena *arena)
{
    struct pair *pairs = arena_alloc(arena, (count_of(query, '&') + 1) * sizeof(*pairs));
    size_t count = 0;

    while (query.len > 0) {
        struct str value = take_until(&query, '&');
        struct str name = take_until(&value, '=');

        pairs[count++] =
            (struct pair){ .name = encode_again(arena, name), .value = encode_again(arena, value) };
    }
    if (count > 1)
        qsort(pairs, count, sizeof(*pairs), order_parameters);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, '&');
        buf_add(out, pairs[i].name);
        buf_add_char(out, '=');
        buf_add(out, pairs[i].value);
    }
}

/*
 * Remove empty, "." and ".." segments (RFC 3986, 5.2.4), as all services except S3 require. A slash
 * at the end stays.
 */
static struct str normalise(struct str path, struct arena *arena)
{
    struct buf *out = arena_buf(arena, path.len + 2);
    bool folder = str_ends_with(path, STR("/"));

    while (path.len > 0) {
        struct str segment = take_until(&path, '/');

        if (segment.len == 0 || str_equal(segment, STR(".")))
            continue;
        if (!str_equal(segment, STR(".."))) {
            buf_add_char(out, '/');
            buf_add(out, segment);
            continue;
        }
        while (out->len > 0 && out->ptr[--out->len] != '/')
            continue;
    }
    if (folder || out->len == 0)
        buf_add_char(out, '/');
    return buf_str(out);
}

static void add_path(struct buf *out, const struct sigv4_request *request,
                     const struct sigv4_scope *scope, struct arena *arena)
{
    if (scope->s3)
        buf_add(out, request->path);
    else
        sigv4_encode(out, normalise(request->path, arena), true);
}

static struct str lower(struct arena *arena, const char *name)
{
    struct str text = str_from_c(name);
    char *copy = arena_alloc(arena, text.len + 1);

    for (size_t i = 0; i < text.len; i++)
        copy[i] = char_lower(name[i]);
    return (struct str){ copy, text.len };
}

/* Remove white space at both ends, and replace each run of white space with one space. */
static struct str trim_all(struct arena *arena, struct str value)
{
    struct buf *out = arena_buf(arena, value.len + 1);

    value = str_trim(value);
    for (size_t i = 0; i < value.len; i++) {
        bool space = value.ptr[i] == ' ' || value.ptr[i] == '\t';

        if (!space)
            buf_add_char(out, value.ptr[i]);
        else if (out->ptr[out->len - 1] != ' ')
            buf_add_char(out, ' ');
    }
    return buf_str(out);
}

static int order_headers(const void *left, const void *right)
{
    const struct pair *a = left;
    const struct pair *b = right;
    int order = str_compare(a->name, b->name);

    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static struct pair *sort_headers(const struct sigv4_request *request, struct arena *arena)
{
    struct pair *pairs = arena_alloc(arena, (request->header_count + 1) * sizeof(*pairs));

    for (size_t i = 0; i < request->header_count; i++)
        pairs[i] = (struct pair){ .name = lower(arena, request->headers[i].name),
                                  .value = trim_all(arena, request->headers[i].value),
                                  .place = i };
    if (request->header_count > 1)
        qsort(pairs, request->header_count, sizeof(*pairs), order_headers);
    return pairs;
}

static void add_headers(struct buf *out, const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool again = i > 0 && str_equal(pairs[i].name, pairs[i - 1].name);

        if (again) {
            buf_add_char(out, ',');
        } else {
            buf_add(out, i > 0 ? STR("\n") : STR(""));
            buf_add(out, pairs[i].name);
            buf_add_char(out, ':');
        }
        buf_add(out, pairs[i].value);
    }
    buf_add_char(out, '\n');
}

static void add_names(struct buf *out, const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && str_equal(pairs[i].name, pairs[i - 1].name))
            continue;
        if (i > 0)
            buf_add_char(out, ';');
        buf_add(out, pairs[i].name);
    }
}

struct str sigv4_canonical(const struct sigv4_request *request, const struct sigv4_scope *scope,
                           struct arena *arena)
{
    struct buf *out = arena_buf(arena, CANONICAL_MAX);
    const struct pair *headers = sort_headers(request, arena);

    buf_add(out, str_from_c(request->method));
    buf_add_char(out, '\n');
    add_path(out, request, scope, arena);
    buf_add_char(out, '\n');
    add_query(out, request->query, arena);
    buf_add_char(out, '\n');
    add_headers(out, headers, request->header_count);
    buf_add_char(out, '\n');
    add_names(out, headers, request->header_count);
    buf_add_char(out, '\n');
    buf_add(out, hex_digest(arena, request->body));
    return buf_str(out);
}

/* `key` becomes HMAC-SHA256(key, text). */
static void hmac_step(uint8_t key[static SIGV4_DIGEST_SIZE], struct str text)
{
    uint8_t out[SIGV4_DIGEST_SIZE];
    const unsigned char *done = HMAC(EVP_sha256(), key, SIGV4_DIGEST_SIZE,
                                     (const unsigned char *)text.ptr, text.len, out, NULL);

    assert(done);
    memcpy(key, out, sizeof(out));
    secret_wipe(out, sizeof(out));
}

/* Derive the signing key for one day, region and service. */
static void derive_key(struct str secret, struct str day, const struct sigv4_scope *scope,
                       uint8_t key[static SIGV4_DIGEST_SIZE])
{
    struct buf first;

    buf_init(&first, secret.len + 5);
    buf_add(&first, STR("AWS4"));
    buf_add(&first, secret);

    const unsigned char *done = HMAC(EVP_sha256(), first.ptr, (int)first.len,
                                     (const unsigned char *)day.ptr, day.len, key, NULL);

    assert(done);
    secret_wipe(first.ptr, first.len);
    buf_done(&first);
    hmac_step(key, scope->region);
    hmac_step(key, scope->service);
    hmac_step(key, STR("aws4_request"));
}

static void add_header(struct sigv4_headers *out, const char *name, struct str value)
{
    out->list[out->count++] = (struct fetch_header){ name, value };
}

/* A copy of the request with the added headers: they are signed too. */
static struct sigv4_request with_added(const struct sigv4_request *request,
                                       const struct sigv4_headers *added, struct arena *arena)
{
    struct sigv4_request whole = *request;
    size_t count = request->header_count + added->count;
    struct fetch_header *headers = arena_alloc(arena, count * sizeof(*headers));

    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = request->headers[i];
    for (size_t i = 0; i < added->count; i++)
        headers[request->header_count + i] = added->list[i];
    whole.headers = headers;
    whole.header_count = count;
    return whole;
}

/* The list of signed header names: the second last line of a canonical request. */
static struct str signed_names(struct str canonical)
{
    struct str before = { canonical.ptr, canonical.len - HEX_LEN - 1 };
    size_t start = before.len;

    while (before.ptr[start - 1] != '\n')
        start--;
    return str_from(before, start);
}

/* The texts of one signature that depend on its time and scope. */
struct stamp {
    char time[SIGV4_TIME_SIZE];
    struct str place; /* DAY/REGION/SERVICE/aws4_request */
};

static struct stamp make_stamp(const struct sigv4_scope *scope, struct arena *arena)
{
    struct stamp stamp;

    write_time(scope->time_us, stamp.time);
    stamp.place = arena_printf(arena, "%.*s/%.*s/%.*s/aws4_request", DAY_SIZE, stamp.time,
                               STR_ARG(scope->region), STR_ARG(scope->service));
    return stamp;
}

/* The signature of a canonical request, in hexadecimal. */
static struct str make_signature(struct str canonical, const struct stamp *stamp, struct str secret,
                                 const struct sigv4_scope *scope, struct arena *arena)
{
    uint8_t key[SIGV4_DIGEST_SIZE];
    struct str text = arena_printf(arena, ALGORITHM "\n%s\n%.*s\n%.*s", stamp->time,
                                   STR_ARG(stamp->place), STR_ARG(hex_digest(arena, canonical)));

    derive_key(secret, (struct str){ stamp->time, DAY_SIZE }, scope, key);
    hmac_step(key, text);

    struct str signature = to_hex(arena, key);

    secret_wipe(key, sizeof(key));
    return signature;
}

void sigv4_sign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                const struct sigv4_scope *scope, struct arena *arena, struct sigv4_headers *out)
{
    struct stamp stamp = make_stamp(scope, arena);

    *out = (struct sigv4_headers){ 0 };
    add_header(out, "X-Amz-Date", arena_copy(arena, str_from_c(stamp.time)));
    if (credentials->token.len > 0)
        add_header(out, "X-Amz-Security-Token", credentials->token);
    if (scope->s3)
        add_header(out, "X-Amz-Content-Sha256", hex_digest(arena, request->body));

    struct sigv4_request whole = with_added(request, out, arena);
    struct str canonical = sigv4_canonical(&whole, scope, arena);
    struct str signature = make_signature(canonical, &stamp, credentials->secret, scope, arena);

    add_header(out, "Authorization",
               arena_printf(arena,
                            ALGORITHM " Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%.*s",
                            STR_ARG(credentials->key_id), STR_ARG(stamp.place),
                            STR_ARG(signed_names(canonical)), STR_ARG(signature)));
}

static void add_parameter(struct buf *out, const char *name, struct str value)
{
    if (out->len > 0)
        buf_add_char(out, '&');
    buf_add(out, str_from_c(name));
    buf_add_char(out, '=');
    sigv4_encode(out, value, false);
}

struct str sigv4_presign(const struct sigv4_request *request,
                         const struct sigv4_credentials *credentials,
                         const struct sigv4_scope *scope, int64_t expires_s, struct arena *arena)
{
    struct buf *query = arena_buf(arena, CANONICAL_MAX);
    struct buf *out = arena_buf(arena, CANONICAL_MAX);
    struct stamp stamp = make_stamp(scope, arena);
    struct sigv4_request whole = *request;

    buf_add(query, request->query);
    add_parameter(query, "X-Amz-Algorithm", STR(ALGORITHM));
    add_parameter(
        query, "X-Amz-Credential",
        arena_printf(arena, "%.*s/%.*s", STR_ARG(credentials->key_id), STR_ARG(stamp.place)));
    add_parameter(query, "X-Amz-Date", str_from_c(stamp.time));
    add_parameter(query, "X-Amz-Expires", arena_printf(arena, "%" PRId64, expires_s));
    if (credentials->token.len > 0)
        add_parameter(query, "X-Amz-Security-Token", credentials->token);
    add_parameter(query, "X-Amz-SignedHeaders",
                  signed_names(sigv4_canonical(request, scope, arena)));
    whole.query = buf_str(query);

    struct str canonical = sigv4_canonical(&whole, scope, arena);

    add_query(out, whole.query, arena);
    add_parameter(out, "X-Amz-Signature",
                  make_signature(canonical, &stamp, credentials->secret, scope, arena));
    return buf_str(out);
}
