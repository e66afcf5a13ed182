/*
 * chain.c - see chain.h.
 */
#include "server/http/chain.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/file.h"
#include "base/memory.h"

enum { FILE_MAX = 1024 * 1024, CHAIN_MAX = 16, NAME_SIZE = 256, ADDRESS_4 = 4, ADDRESS_6 = 16 };

bool http_chain_read(const char *file, struct http_chain *out, struct error *err)
{
    struct http_chain chain = { 0 };
    struct str text;

    if (!file_read_regular(file, FILE_MAX, &text, err)) {
        err->code = ERR_CONFIG;
        return false;
    }

    const gnutls_datum_t pem = { (unsigned char *)text.ptr, (unsigned)text.len };
    int status =
        gnutls_x509_crt_list_import2(&chain.list, &chain.count, &pem, GNUTLS_X509_FMT_PEM, 0);

    mem_free((void *)text.ptr);
    if (status < 0)
        return fail(err, ERR_CONFIG, "%s: holds no certificate in PEM form (%s)", file,
                    gnutls_strerror(status));
    if (chain.count > CHAIN_MAX) {
        http_chain_done(&chain);
        return fail(err, ERR_CONFIG, "%s: more than %d certificates", file, CHAIN_MAX);
    }
    *out = chain;
    return true;
}

void http_chain_done(struct http_chain *chain)
{
    for (unsigned i = 0; i < chain->count; i++)
        gnutls_x509_crt_deinit(chain->list[i]);
    gnutls_free(chain->list);
    *chain = (struct http_chain){ 0 };
}

int64_t http_chain_starts_s(const struct http_chain *chain)
{
    int64_t latest = INT64_MIN;

    for (unsigned i = 0; i < chain->count; i++) {
        int64_t start = gnutls_x509_crt_get_activation_time(chain->list[i]);

        if (start > latest)
            latest = start;
    }
    return latest;
}

int64_t http_chain_expires_s(const struct http_chain *chain)
{
    int64_t earliest = INT64_MAX;

    for (unsigned i = 0; i < chain->count; i++) {
        int64_t end = gnutls_x509_crt_get_expiration_time(chain->list[i]);

        if (end < earliest)
            earliest = end;
    }
    return earliest;
}

static void add_name(struct buf *out, struct str name)
{
    if (out->len > 0)
        buf_add(out, STR(", "));
    buf_add(out, name);
}

static void add_address(struct buf *out, const char *bytes, size_t len)
{
    char text[INET6_ADDRSTRLEN];

    if ((len == ADDRESS_4 || len == ADDRESS_6) &&
        inet_ntop(len == ADDRESS_4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)))
        add_name(out, str_from_c(text));
}

void http_chain_names(const struct http_chain *chain, struct buf *out)
{
    for (unsigned i = 0;; i++) {
        char name[NAME_SIZE];
        size_t len = sizeof(name);
        int kind = gnutls_x509_crt_get_subject_alt_name(chain->list[0], i, name, &len, NULL);

        if (kind == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return;
        if (kind == GNUTLS_SAN_DNSNAME)
            add_name(out, (struct str){ name, len });
        else if (kind == GNUTLS_SAN_IPADDRESS)
            add_address(out, name, len);
    }
}

bool http_chain_is_for(const struct http_chain *chain, const char *host)
{
    return gnutls_x509_crt_check_hostname(chain->list[0], host) != 0;
}

static bool has_issued(gnutls_x509_crt_t issuer, gnutls_x509_crt_t certificate)
{
    unsigned verdict = 0;

    return gnutls_x509_crt_verify(certificate, &issuer, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS,
                                  &verdict) == 0 &&
           !(verdict & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNATURE_FAILURE));
}

unsigned http_chain_break(const struct http_chain *chain)
{
    for (unsigned i = 0; i + 1 < chain->count; i++)
        if (!has_issued(chain->list[i + 1], chain->list[i]))
            return i + 1;
    return 0;
}

bool http_chain_is_trusted(const struct http_chain *chain, struct error *err)
{
    gnutls_x509_trust_list_t trusted;
    gnutls_datum_t why = { NULL, 0 };
    unsigned verdict = 0;
    int status = gnutls_x509_trust_list_init(&trusted, 0);

    if (status < 0)
        return fail(err, ERR_INVALID, "no memory (%s)", gnutls_strerror(status));
    (void)gnutls_x509_trust_list_add_system_trust(trusted, 0, 0); /* none: nothing is trusted */
    status = gnutls_x509_trust_list_verify_crt2(trusted, chain->list, chain->count, NULL, 0,
                                                GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &verdict, NULL);
    gnutls_x509_trust_list_deinit(trusted, 1);
    if (status >= 0 && verdict == 0)
        return true;
    if (status >= 0)
        status = gnutls_certificate_verification_status_print(verdict, GNUTLS_CRT_X509, &why, 0);
    (void)fail(err, ERR_INVALID, "%s", status < 0 ? gnutls_strerror(status) : (char *)why.data);
    gnutls_free(why.data);
    return false;
}
