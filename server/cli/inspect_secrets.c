/*
 * inspect_secrets.c - checks the secrets that the configuration names, and the keys for tokens.
 */
#include <string.h>

#include "base/secret.h"
#include "base/vault.h"
#include "handlers/auth/auth.h"
#include "handlers/auth/jwks_source.h"
#include "server/cli/inspect_internal.h"
#include "server/secrets.h"

bool inspect_is_unknown(const char *place)
{
    return vault_is_name(place) && vault_version(place) == 0;
}

/* The pointer of the key that names this place; `place` is a text of the configuration. */
static const char *pointer_of_secret(const struct inspection *inspection, const char *place)
{
    const struct config_secrets secrets = config_secrets(inspection->config);

    for (size_t i = 0; i < secrets.count; i++)
        if (secrets.list[i].place == place)
            return secrets.list[i].pointer;
    return "/auth";
}

/* Put the secrets of AWS Secrets Manager into the vault. */
static void ask_for_secrets(const struct inspection *inspection)
{
    const struct config_secrets named = config_secrets(inspection->config);
    struct secrets *secrets;
    struct error err = { 0 };

    if ((!inspection->options->asks_registry && !inspection->options->asks_others) ||
        !inspect_is_sound(inspection, "/aws"))
        return;
    if (!secrets_create(inspection->config, &secrets, &err)) {
        inspect_say(inspection, INSPECT_FAILURE, "secret", "/aws", "%s", err.text);
        return;
    }
    for (size_t i = 0; secrets && i < named.count; i++) {
        const struct config_secret *secret = &named.list[i];

        if (str_starts_with(str_from_c(secret->place), STR("arn:")) &&
            inspect_is_sound(inspection, secret->pointer) &&
            !secrets_ask(secrets, secret->place, &err))
            inspect_say(inspection, INSPECT_FAILURE, "secret", secret->pointer, "%s", err.text);
    }
    secrets_destroy(secrets);
}

static void try_credential(const struct inspection *inspection, const char *file,
                           const struct auth_options *options)
{
    const char *pointer = pointer_of_secret(inspection, file);
    struct auth *auth = NULL;
    struct error err = { 0 };

    if (!inspect_is_sound(inspection, pointer) || inspect_is_unknown(file))
        return;
    if (auth_create(options, &auth, &err))
        inspect_say(inspection, INSPECT_FINE, "secret", pointer, "%s can be read", file);
    else
        inspect_say(inspection, INSPECT_FAILURE, "secret", pointer, "%s", err.text);
    auth_destroy(auth);
}

/* Each is tried alone, to find all wrong ones. */
static void try_credentials(const struct inspection *inspection, const struct config_auth *auth)
{
    for (size_t i = 0; i < auth->api_key_count; i++) {
        const char *file = auth->api_keys[i].value_file;
        const struct auth_api_key key = { auth->api_keys[i].header, file };

        try_credential(inspection, file,
                       &(struct auth_options){ .api_keys = &key, .api_key_count = 1 });
    }
    for (size_t i = 0; i < auth->basic_count; i++) {
        const char *file = auth->basic[i].password_file;
        const struct auth_basic basic = { auth->basic[i].user, file };

        try_credential(inspection, file,
                       &(struct auth_options){ .basic = &basic, .basic_count = 1 });
    }
}

/* What is in a secret by mistake, as an editor or `echo` adds it; NULL: nothing. */
static const char *slip_of(struct str secret)
{
    if (str_starts_with(secret, STR("\xEF\xBB\xBF")))
        return "begins with a byte order mark";
    if (secret.ptr[0] == ' ' || secret.ptr[0] == '\t')
        return "begins with a blank";
    if (secret.ptr[secret.len - 1] == ' ' || secret.ptr[secret.len - 1] == '\t')
        return "ends with a blank";
    return NULL;
}

/* Is it one that nothing else here reads without asking others? */
static bool is_unread(const struct inspection *inspection, const char *pointer)
{
    return !inspection->options->asks_others &&
           (strstr(pointer, "/oauth/client_secret") || strstr(pointer, "/sasl/password"));
}

static void look_at_spelling(const struct inspection *inspection,
                             const struct config_secret *secret)
{
    struct error err = { 0 };
    const char *slip;
    struct str text;

    if (!inspect_is_sound(inspection, secret->pointer) || inspect_is_unknown(secret->place))
        return;
    if (!secret_read_file(secret->place, &text, &err)) {
        bool is_tracing = str_starts_with(str_from_c(secret->pointer), STR("/tracing/"));

        if (is_tracing || is_unread(inspection, secret->pointer)) /* else reported elsewhere */
            inspect_say(inspection, is_tracing ? INSPECT_WARNING : INSPECT_FAILURE, "secret",
                        secret->pointer, "%s", err.text);
        return;
    }
    slip = slip_of(text);
    if (slip)
        inspect_say(inspection, INSPECT_WARNING, "secret", secret->pointer,
                    "%s %s, which counts as a part of the secret", secret->place, slip);
    secret_free(text);
}

void inspect_secrets(const struct inspection *inspection)
{
    const struct config_admin *admin = &inspection->config->admin;
    const struct config_secrets named = config_secrets(inspection->config);

    ask_for_secrets(inspection);
    try_credentials(inspection, &inspection->config->auth);
    try_credentials(inspection, &(struct config_auth){ .api_keys = admin->api_keys,
                                                       .api_key_count = admin->api_key_count,
                                                       .basic = admin->basic,
                                                       .basic_count = admin->basic_count });
    for (size_t i = 0; i < named.count; i++)
        look_at_spelling(inspection, &named.list[i]);
}

void inspect_keys(const struct inspection *inspection)
{
    const struct config_bearer *bearer = &inspection->config->auth.bearer;
    const struct jwks_source_options where = { bearer->jwks_url, bearer->jwks_file };
    const char *pointer = *where.url ? "/auth/bearer/jwks_url" : "/auth/bearer/jwks_file";
    struct jwks_source *source;
    struct error err = { 0 };

    if ((!*where.url && !*where.file) || (*where.url && !inspection->options->asks_others) ||
        !inspect_is_sound(inspection, "/auth/bearer"))
        return;
    source = jwks_source_create(&where);
    if (jwks_source_load(source, &err))
        inspect_say(inspection, INSPECT_FINE, "keys", pointer, "there are keys for tokens at %s",
                    *where.url ? where.url : where.file);
    else
        inspect_say(inspection, INSPECT_FAILURE, "keys", pointer, "%s", err.text);
    jwks_source_destroy(source);
}
