/*
 * secrets.c - the secrets that a configuration names: where each is, and those of the environment.
 */
#include "server/config/config_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/secret.h"
#include "base/vault.h"

struct secret_list {
    const struct config *config;
    struct config_secret *list;
    size_t count;
};

/*
 * Add the secret at `place`, "": the key is not set. `pointer` is that of its key without the
 * ending, which says what kind of place it is.
 */
static void add_secret(struct secret_list *secrets, const char *place, struct str pointer)
{
    const char *ending = "_file";

    if (!*place)
        return;
    if (vault_is_name(place))
        ending = str_starts_with(str_from_c(place), STR("env:")) ? "_env" : "_secret";
    secrets->list[secrets->count++] = (struct config_secret){
        .place = place,
        .pointer = arena_printf(secrets->config->arena, "%.*s%s", STR_ARG(pointer), ending).ptr,
    };
}

/* Those of an object that maps the names of headers to the places of their values. */
static void add_headers(struct secret_list *secrets, const struct config_pairs *headers,
                        struct str pointer)
{
    struct arena *arena = secrets->config->arena;

    for (size_t i = 0; i < headers->count; i++)
        secrets->list[secrets->count++] = (struct config_secret){
            .place = headers->list[i].value,
            .pointer = settings_member_pointer(arena, pointer, headers->list[i].key).ptr,
        };
}

static void add_secrets_of_sink(struct secret_list *secrets, size_t index)
{
    const struct config_sink *sink = &secrets->config->sinks[index];
    struct arena *arena = secrets->config->arena;

    add_headers(secrets, &sink->secret_headers,
                arena_printf(arena, "/sinks/%zu/secret_headers", index));
    add_secret(secrets, sink->sign.secret_file,
               arena_printf(arena, "/sinks/%zu/sign/secret", index));
    add_secret(secrets, sink->oauth.client_secret_file,
               arena_printf(arena, "/sinks/%zu/oauth/client_secret", index));
    add_secret(secrets, sink->sasl.password_file,
               arena_printf(arena, "/sinks/%zu/sasl/password", index));
}

struct config_secrets config_secrets(const struct config *config)
{
    enum { OF_SINK = 3 };
    const struct config_auth *auth = &config->auth;
    const struct config_admin *admin = &config->admin;
    struct arena *arena = config->arena;
    struct secret_list secrets = { .config = config };
    size_t max = config->tracing.secret_headers.count + auth->api_key_count + auth->basic_count +
                 admin->api_key_count + admin->basic_count;

    for (size_t i = 0; i < config->sink_count; i++)
        max += config->sinks[i].secret_headers.count + OF_SINK;
    secrets.list = arena_alloc(arena, (max + 1) * sizeof(*secrets.list));
    for (size_t i = 0; i < auth->api_key_count; i++)
        add_secret(&secrets, auth->api_keys[i].value_file,
                   arena_printf(arena, "/auth/api_keys/%zu/value", i));
    for (size_t i = 0; i < auth->basic_count; i++)
        add_secret(&secrets, auth->basic[i].password_file,
                   arena_printf(arena, "/auth/basic/%zu/password", i));
    for (size_t i = 0; i < admin->api_key_count; i++)
        add_secret(&secrets, admin->api_keys[i].value_file,
                   arena_printf(arena, "/admin/api_keys/%zu/value", i));
    for (size_t i = 0; i < admin->basic_count; i++)
        add_secret(&secrets, admin->basic[i].password_file,
                   arena_printf(arena, "/admin/basic/%zu/password", i));
    for (size_t i = 0; i < config->sink_count; i++)
        add_secrets_of_sink(&secrets, i);
    add_headers(&secrets, &config->tracing.secret_headers, STR("/tracing/secret_headers"));
    return (struct config_secrets){ secrets.list, secrets.count };
}

/*
 * The variable is read once: later loads of the configuration find the secret in the vault. Only
 * its text is overwritten; the environment itself must not change beside other threads.
 */
static bool take_from_environment(const char *place)
{
    char *text = getenv(place + STR("env:").len); /* NOLINT(concurrency-mt-unsafe): see above */

    if (!text || !*text)
        return vault_version(place) > 0;
    if (strpbrk(text, "\r\n"))
        return false;
    vault_put(place, str_from_c(text));
    secret_wipe(text, strlen(text));
    return true;
}

/* One of NAME_file, NAME_env and NAME_secret at most, or exactly one if it is `required`. */
static void check_one_place(struct settings *settings, const struct setting *object,
                            const char *name, bool required)
{
    static const char *const endings[] = { "_file", "_env", "_secret" };
    size_t count = 0;
    struct setting last = { 0 };
    char key[64];

    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        (void)snprintf(key, sizeof(key), "%s%s", name, endings[i]);

        struct setting place = settings_get(settings, object, key);

        bool is_set = !place.is_default &&
                      !(json_is_string(place.value) && json_str(place.value).len == 0 && !required);

        if (i == 0 || is_set)
            last = place;
        count += is_set;
    }
    if (count > 1)
        settings_complain(settings, last.pointer,
                          "the secret has another place already: remove one");
    if (count == 0 && required)
        settings_complain(settings, last.pointer, "is missing");
}

static void check_places(struct settings *settings)
{
    static const struct {
        const char *list;
        const char *name;
        bool required;
    } rows[] = {
        { "auth.api_keys", "value", true },  { "auth.basic", "password", true },
        { "admin.api_keys", "value", true }, { "admin.basic", "password", true },
        { "sinks", "sign.secret", false },   { "sinks", "oauth.client_secret", false },
        { "sinks", "sasl.password", false },
    };
    struct setting root = settings_root(settings);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct setting list = settings_get(settings, &root, rows[i].list);

        for (size_t j = 0; json_is_array(list.value) && j < json_count(list.value); j++) {
            struct setting element = settings_at(settings, &list, j);

            if (json_is_object(element.value))
                check_one_place(settings, &element, rows[i].name, rows[i].required);
        }
    }
}

void config_take_secrets(struct settings *settings, const struct config *config)
{
    const struct config_secrets secrets = config_secrets(config);

    check_places(settings);
    for (size_t i = 0; i < secrets.count; i++) {
        const struct config_secret *secret = &secrets.list[i];

        if (str_starts_with(str_from_c(secret->place), STR("env:")) &&
            !take_from_environment(secret->place))
            settings_complain(settings, str_from_c(secret->pointer),
                              "%s: it must be set, to text on one line", secret->place);
    }
}
