/*
 * fuzz_jwks.c - whatever a server publishes as its keys, it is a set with usable keys or an error,
 * and signs nothing that was not signed.
 */
#include <assert.h>
#include <stdint.h>

#include "handlers/auth/jwks.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's choice */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 7515, appendix A.3, with its last byte changed: no key has signed this. */
static const unsigned char signature[64] = { 14, 209, 33, 83, 121, 99, 108, 72, 60, 47, 127, 21 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jwks *jwks = NULL;
    struct error err = { 0 };

    if (!jwks_read((struct str){ (const char *)data, size }, &jwks, &err)) {
        assert(err.code == ERR_MALFORMED || err.code == ERR_TOO_EXPENSIVE);
        assert(*err.text && !jwks);
        return 0;
    }
    assert(err.code == ERR_NONE);
    assert(jwks_count(jwks) >= 1 && jwks_count(jwks) <= JWKS_KEYS_MAX);
    for (int i = SIGNATURE_RS256; i <= SIGNATURE_EDDSA; i++)
        assert(jwks_verify(jwks, &(struct jwks_claim){
                                     .algorithm = (enum signature_algorithm)i,
                                     .message = STR("a.b"),
                                     .signature = { (const char *)signature, sizeof(signature) },
                                 }) != JWKS_SIGNED);
    jwks_destroy(jwks);
    return 0;
}
