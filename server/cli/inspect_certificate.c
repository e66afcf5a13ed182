/*
 * inspect_certificate.c - checks the server's certificate: its key, lifetime, names and chain.
 */
#include "base/clock.h"
#include "server/cli/inspect_internal.h"
#include "server/http/certificate.h"
#include "server/http/chain.h"

enum {
    DATE_LEN = 10, /* of a time as text */
    DAY_S = 24 * 60 * 60,
    SOON_S = 7 * DAY_S, /* a certificate that ends sooner should have been renewed */
    NAMES_MAX = 512,
};

static const char certificate_pointer[] = "/http/tls/cert_file";

static const char *date(const struct inspection *inspection, int64_t time_s)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format(time_s * US_PER_S, text);
    return arena_copy(inspection->arena, (struct str){ text, DATE_LEN }).ptr;
}

static void look_at_lifetime(const struct inspection *inspection, const char *file,
                             const struct http_certificate *certificate)
{
    int64_t now_s = clock_now_us() / US_PER_S;
    int64_t starts_s = http_certificate_starts_s(certificate);
    int64_t ends_s = http_certificate_expires_s(certificate);

    if (ends_s <= now_s)
        inspect_say(inspection, INSPECT_FAILURE, "certificate", certificate_pointer,
                    "the certificate has expired on %s: %s", date(inspection, ends_s), file);
    else if (starts_s > now_s)
        inspect_say(inspection, INSPECT_FAILURE, "certificate", certificate_pointer,
                    "the certificate is valid from %s on: %s", date(inspection, starts_s), file);
    else if (ends_s - now_s < SOON_S)
        inspect_say(inspection, INSPECT_WARNING, "certificate", certificate_pointer,
                    "the certificate expires soon, on %s: %s", date(inspection, ends_s), file);
    else
        inspect_say(inspection, INSPECT_FINE, "certificate", certificate_pointer,
                    "valid until %s: %s", date(inspection, ends_s), file);
}

static void look_at_names(const struct inspection *inspection, const struct http_chain *chain)
{
    struct buf *names = arena_buf(inspection->arena, SIZE_MAX);

    http_chain_names(chain, names);
    if (names->len == 0)
        inspect_say(inspection, INSPECT_WARNING, "names", certificate_pointer,
                    "the certificate has no name (subjectAltName), so clients refuse it");
    else
        inspect_say(inspection, INSPECT_FINE, "names", certificate_pointer,
                    "the certificate is for %.*s",
                    (int)(names->len < NAMES_MAX ? names->len : NAMES_MAX), buf_str(names).ptr);
}

/* On loopback a test certificate is usual, and a proxy in front has its own. */
static void look_at_trust(const struct inspection *inspection, const struct http_chain *chain)
{
    struct error err = { 0 };

    if (inspection->config->http.listen.loopback)
        return;
    if (http_chain_is_trusted(chain, &err))
        inspect_say(inspection, INSPECT_FINE, "chain", certificate_pointer,
                    "it leads to a CA that this machine trusts");
    else
        inspect_say(inspection, INSPECT_WARNING, "chain", certificate_pointer,
                    "a client with the CAs of this machine refuses it: %s", err.text);
}

static void look_at_chain(const struct inspection *inspection, const char *file)
{
    CLEANUP(http_chain_done) struct http_chain chain = { 0 };
    struct error err;
    unsigned broken;

    if (!http_chain_read(file, &chain, &err))
        return; /* it was read before */
    look_at_names(inspection, &chain);
    broken = http_chain_break(&chain);
    if (broken)
        inspect_say(inspection, INSPECT_WARNING, "chain", certificate_pointer,
                    "certificate %u of %u is not issued by the one after it: %s", broken,
                    chain.count, file);
    else
        look_at_trust(inspection, &chain);
}

void inspect_certificate(const struct inspection *inspection)
{
    const struct config_tls *tls = &inspection->config->http.tls;
    struct http_certificate *certificate;
    struct error err = { 0 };

    if (!*tls->cert_file || !*tls->key_file || !inspect_is_sound(inspection, "/http/tls"))
        return;
    if (!http_certificate_load(tls->cert_file, tls->key_file, &certificate, &err)) {
        bool of_key = str_starts_with(str_from_c(err.text), str_from_c(tls->key_file));

        inspect_say(inspection, INSPECT_FAILURE, "certificate",
                    of_key ? "/http/tls/key_file" : certificate_pointer, "%s", err.text);
        return;
    }
    look_at_lifetime(inspection, tls->cert_file, certificate);
    if (http_certificate_is_exposed(certificate))
        inspect_say(inspection, INSPECT_WARNING, "certificate", "/http/tls/key_file",
                    "every user of this machine may read %s", tls->key_file);
    http_certificate_release(certificate);
    if (inspection->options->looks_at_machine)
        look_at_chain(inspection, tls->cert_file);
}
