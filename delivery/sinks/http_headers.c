/*
 * http_headers.c - see http_headers.h.
 *
 * A record may be sent again in another batch: alone as a retry, or in half of a batch. So each
 * record has its own key. For an array, Idempotency-Keys has one key for each element, and
 * Idempotency-Key is a key of exactly this array.
 */
#include "delivery/sinks/http_headers.h"

#include "base/chars.h"
#include "base/clock.h"
#include "base/secret.h"
#include "delivery/sinks/webhook.h"

enum { OWN_HEADERS = 16 }; /* more than are added here */

static bool is_configured(const struct sink_http_options *options, const char *name)
{
    for (size_t i = 0; i < options->header_count; i++)
        if (str_equal_ignore_case(str_from_c(options->headers[i].name), str_from_c(name)))
            return true;
    return false;
}

/*
 * A key is an event's id, which may be any text. Bytes that a header cannot carry, the per cent
 * sign, and those of `reserved` are percent-encoded.
 */
static void add_key(struct buf *out, struct str key, const char *reserved)
{
    for (size_t i = 0; i < key.len; i++) {
        unsigned char byte = (unsigned char)key.ptr[i];

        if (byte > ' ' && byte < 0x7f && byte != '%' && !char_is_one_of(key.ptr[i], reserved))
            buf_add_char(out, (char)byte);
        else
            buf_printf(out, "%%%02X", byte);
    }
}

/* One key for each element of an array, in order. */
static struct str keys_of(const struct sink_batch *batch)
{
    struct buf *keys = arena_buf(batch->arena, SIZE_MAX);

    for (size_t i = 0; i < batch->count; i++) {
        if (i > 0)
            buf_add_char(keys, ',');
        add_key(keys, batch->records[i].key, ",");
    }
    return buf_str(keys);
}

/* A record's key; for an array a digest of its records' keys, so the same array has the same key.
 */
static struct str key_of(const struct sink_batch *batch, const char *reserved)
{
    struct buf *keys = arena_buf(batch->arena, SIZE_MAX);
    struct buf *hex;
    uint8_t digest[SECRET_DIGEST_SIZE];

    for (size_t i = 0; i < batch->count; i++) {
        if (i > 0)
            buf_add_char(keys, ' ');
        add_key(keys, batch->records[i].key, batch->count == 1 ? reserved : "");
    }
    if (batch->count == 1)
        return buf_str(keys);
    hex = arena_buf(batch->arena, 2 * SECRET_DIGEST_SIZE + 1);
    secret_digest(buf_str(keys), digest);
    buf_add_hex(hex, digest, sizeof(digest));
    return buf_str(hex);
}

static void add_header(struct http_headers *headers, const char *name, struct str value)
{
    headers->list[headers->count++] = (struct fetch_header){ name, value };
}

void http_headers_add_secret(struct http_headers *headers, const char *name, struct str secret)
{
    headers->secrets[headers->secret_count++] = secret;
    add_header(headers, name, secret);
}

/* The value with what a header cannot carry percent-encoded, if there is any. */
static void add_origin_part(const struct sink_http_options *options, struct arena *arena,
                            struct http_headers *out, const struct fetch_header *header)
{
    struct buf *value;

    if (header->value.len == 0 || is_configured(options, header->name))
        return;
    value = arena_buf(arena, SIZE_MAX);
    add_key(value, header->value, "");
    add_header(out, header->name, buf_str(value));
}

static void add_origin(const struct sink_http_options *options, const struct sink_batch *batch,
                       struct http_headers *out)
{
    const struct sink_origin *origin = &batch->records[0].origin;
    const struct fetch_header parts[] = {
        { "sluice-event-id", origin->event_id },
        { "sluice-route", origin->route },
        { "sluice-schema-version", origin->schema_version },
        { "sluice-request-id", origin->request_id },
        { "traceparent", origin->traceparent },
    };

    for (size_t i = 0; i < COUNT_OF(parts); i++)
        add_origin_part(options, batch->arena, out, &parts[i]);
}

static void add_own(const struct sink_http_options *options, const struct sink_batch *batch,
                    struct http_headers *out)
{
    if (!is_configured(options, "Content-Type"))
        add_header(out, "Content-Type", STR("application/json"));
    if (options->gzip)
        add_header(out, "Content-Encoding", STR("gzip"));
    if (!is_configured(options, "Idempotency-Key"))
        add_header(out, "Idempotency-Key", key_of(batch, ""));
    if (options->batch > 1 && !is_configured(options, "Idempotency-Keys"))
        add_header(out, "Idempotency-Keys", keys_of(batch));
    if (options->batch == 1)
        add_origin(options, batch, out);
}

static bool add_configured(const struct sink_http_options *options, struct http_headers *out,
                           struct error *err)
{
    for (size_t i = 0; i < options->header_count; i++) {
        const struct sink_http_header *header = &options->headers[i];
        struct str value;

        if (!header->file) {
            add_header(out, header->name, str_from_c(header->value));
            continue;
        }
        if (!secret_read_file(header->file, &value, err))
            return false;
        http_headers_add_secret(out, header->name, value);
    }
    return true;
}

static bool add_signatures(const struct sink_http_options *options, const struct sink_batch *batch,
                           struct str body, struct http_headers *out, struct error *err)
{
    const struct webhook_message message = {
        .id = key_of(batch, "."),
        .at_s = clock_now_us() / US_PER_S,
        .body = body,
    };
    struct buf *signatures = arena_buf(batch->arena, SIZE_MAX);

    if (!webhook_sign(options->sign_file, &message, signatures, err))
        return false;
    add_header(out, "webhook-id", message.id);
    add_header(out, "webhook-timestamp",
               arena_printf(batch->arena, "%lld", (long long)message.at_s));
    add_header(out, "webhook-signature", buf_str(signatures));
    return true;
}

bool http_headers_collect(const struct sink_http_options *options, const struct sink_batch *batch,
                          struct str body, struct http_headers *out, struct error *err)
{
    size_t most = options->header_count + OWN_HEADERS;

    out->list = arena_alloc(batch->arena, most * sizeof(*out->list));
    out->secrets = arena_alloc(batch->arena, most * sizeof(*out->secrets));
    add_own(options, batch, out);
    return add_configured(options, out, err) && (!options->sign_file || !*options->sign_file ||
                                                 add_signatures(options, batch, body, out, err));
}

void http_headers_done(struct http_headers *headers)
{
    for (size_t i = 0; i < headers->secret_count; i++)
        secret_free(headers->secrets[i]);
}
