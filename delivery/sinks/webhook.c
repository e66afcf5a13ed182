/*
 * webhook.c - see webhook.h.
 */
#include "delivery/sinks/webhook.h"

#include "base/chars.h"
#include "base/secret.h"

static const struct str prefix = STR_INIT("whsec_");

static void add_signature(const struct webhook_message *message, struct str key, struct buf *out)
{
    CLEANUP(buf_done) struct buf at;
    uint8_t mac[SECRET_DIGEST_SIZE];
    struct str text;

    buf_init(&at, SIZE_MAX);
    buf_add_char(&at, '.');
    buf_add_int(&at, message->at_s);
    buf_add_char(&at, '.');

    const struct str parts[] = { message->id, buf_str(&at), message->body };

    secret_hmac(key, parts, COUNT_OF(parts), mac);
    text = secret_base64((struct str){ (const char *)mac, sizeof(mac) });
    buf_add(out, out->len > 0 ? STR(" v1,") : STR("v1,"));
    buf_add(out, text);
    secret_free(text);
}

/* Sign with one line of the file. */
static bool sign_with(struct str line, const struct webhook_message *message, struct buf *out)
{
    struct str key;

    if (str_starts_with(line, prefix))
        line = str_from(line, prefix.len);
    if (!secret_from_base64(line, &key))
        return false;
    add_signature(message, key, out);
    secret_free(key);
    return true;
}

static bool sign_with_all(struct str text, const struct webhook_message *message, struct buf *out,
                          struct error *err)
{
    size_t count = 0;

    for (size_t number = 1; text.len > 0; number++) {
        struct str line = take_until(&text, '\n');

        if (str_ends_with(line, STR("\r")))
            line.len--;
        if (line.len == 0)
            continue;
        if (count++ == WEBHOOK_SECRETS_MAX)
            return fail(err, ERR_CONFIG, "more than %d secrets", WEBHOOK_SECRETS_MAX);
        if (!sign_with(line, message, out))
            return fail(err, ERR_CONFIG, "line %zu is not whsec_ and Base64", number);
    }
    return count > 0 || fail(err, ERR_CONFIG, "there is no secret");
}

bool webhook_sign(const char *secret_file, const struct webhook_message *message, struct buf *out,
                  struct error *err)
{
    struct str text;

    if (!secret_read(secret_file, &text, err))
        return false;

    bool ok = sign_with_all(text, message, out, err) || fail_within(err, secret_file);

    secret_free(text);
    return ok;
}
