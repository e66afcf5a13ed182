/*
 * sinks.c - the rules for sinks that a schema cannot express.
 */
#include "server/config/config_internal.h"

#include "base/file_name.h"

static void check_sink_names(struct settings *settings, const struct config *config)
{
    for (size_t i = 1; i < config->sink_count; i++)
        for (size_t j = 0; j < i; j++) {
            struct str pointer;

            if (strcmp(config->sinks[i].name, config->sinks[j].name) != 0)
                continue;
            pointer = arena_printf(config->arena, "/sinks/%zu/name", i);
            settings_complain(settings, pointer, "another sink has this name already");
            break;
        }
}

/* Does an earlier sink write to the same file? Their lines would mix. */
static bool has_rival(const struct config *config, size_t index)
{
    const struct config_sink *sink = &config->sinks[index];

    for (size_t i = 0; i < index; i++)
        if (config->sinks[i].kind == CONFIG_SINK_FILE && *config->sinks[i].path &&
            file_name_is_same(sink->path, config->sinks[i].path))
            return true;
    return false;
}

static void check_sink_paths(struct settings *settings, const struct config *config)
{
    for (size_t i = 0; i < config->sink_count; i++) {
        const struct config_sink *sink = &config->sinks[i];
        struct str pointer = arena_printf(config->arena, "/sinks/%zu/path", i);
        const char *use;

        if (sink->kind != CONFIG_SINK_FILE || !*sink->path)
            continue;
        use = config_file_use(settings, config, sink->path);
        if (use)
            settings_complain(settings, pointer, "%s: records cannot be written here: %s",
                              sink->path, use);
        else if (has_rival(config, i))
            settings_complain(settings, pointer, "another sink writes to this file already");
    }
}

/* Does the header belong to the framing of a request, which libcurl decides? */
static bool is_framing(const char *name)
{
    static const char *const names[] = {
        "content-length", "transfer-encoding", "connection", "expect", "te", "trailer", "upgrade"
    };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal_ignore_case(str_from_c(name), str_from_c(names[i])))
            return true;
    return false;
}

static bool has_header(const struct config_pairs *headers, const char *name)
{
    for (size_t i = 0; i < headers->count; i++)
        if (str_equal_ignore_case(str_from_c(headers->list[i].key), str_from_c(name)))
            return true;
    return false;
}

static void check_headers(struct settings *settings, struct arena *arena,
                          const struct config_pairs *headers, struct str pointer,
                          const struct config_pairs *others)
{
    for (size_t i = 0; i < headers->count; i++) {
        const char *name = headers->list[i].key;

        if (is_framing(name))
            settings_complain(settings, settings_member_pointer(arena, pointer, name),
                              "Sluice sets this header itself");
        if (others && has_header(others, name))
            settings_complain(settings, settings_member_pointer(arena, pointer, name),
                              "is in headers as well");
    }
}

/* Headers that other keys of the sink make. */
static void check_made_headers(struct settings *settings, const struct config *config, size_t index)
{
    const struct config_sink *sink = &config->sinks[index];
    const struct {
        const char *name;
        bool is_made;
        const char *by;
    } made[] = {
        { "authorization", *sink->oauth.token_url, "oauth" },
        { "content-encoding", sink->compression != CONFIG_COMPRESSION_NONE, "compression" },
        { "webhook-id", *sink->sign.secret_file, "sign" },
        { "webhook-timestamp", *sink->sign.secret_file, "sign" },
        { "webhook-signature", *sink->sign.secret_file, "sign" },
    };

    for (size_t i = 0; i < COUNT_OF(made); i++)
        if (made[i].is_made && (has_header(&sink->headers, made[i].name) ||
                                has_header(&sink->secret_headers, made[i].name)))
            settings_complain(settings,
                              arena_printf(config->arena, "/sinks/%zu/%s", index, made[i].by),
                              "the header %s is configured as well", made[i].name);
}

/* Add a problem when only some of the keys that need each other are set. */
static void check_all_or_none(struct settings *settings, struct str pointer,
                              const char *const values[], size_t count, const char *names)
{
    size_t set = 0;

    for (size_t i = 0; i < count; i++)
        set += *values[i] != '\0';
    if (set > 0 && set < count)
        settings_complain(settings, pointer, "%s go together", names);
}

static void check_http_sink(struct settings *settings, const struct config *config, size_t index)
{
    const struct config_sink *sink = &config->sinks[index];
    const struct config_oauth *oauth = &sink->oauth;
    const char *const certificate[] = { sink->cert_file, sink->key_file };
    const char *const client[] = { oauth->token_url, oauth->client_id, oauth->client_secret_file };

    check_made_headers(settings, config, index);
    check_all_or_none(settings, arena_printf(config->arena, "/sinks/%zu/cert_file", index),
                      certificate, COUNT_OF(certificate), "cert_file and key_file");
    check_all_or_none(settings, arena_printf(config->arena, "/sinks/%zu/oauth", index), client,
                      COUNT_OF(client), "token_url, client_id and client_secret_file");
    if (*oauth->scope && !*oauth->token_url)
        settings_complain(settings, arena_printf(config->arena, "/sinks/%zu/oauth/scope", index),
                          "needs token_url");
}

static void check_sink_headers(struct settings *settings, const struct config *config)
{
    for (size_t i = 0; i < config->sink_count; i++) {
        const struct config_sink *sink = &config->sinks[i];

        check_headers(settings, config->arena, &sink->headers,
                      arena_printf(config->arena, "/sinks/%zu/headers", i), NULL);
        check_headers(settings, config->arena, &sink->secret_headers,
                      arena_printf(config->arena, "/sinks/%zu/secret_headers", i), &sink->headers);
        check_http_sink(settings, config, i);
    }
}

/* Add a problem if the member belongs to other kinds of sinks. */
static void check_member(struct settings *settings, const struct setting *sink, struct str kind,
                         const char *key)
{
    struct setting member = settings_get(settings, sink, key);
    struct json_object *kinds = NULL;

    if (!member.schema || !json_find(member.schema, "x-sinks", &kinds))
        return;
    for (size_t i = 0; i < json_count(kinds); i++)
        if (str_equal(json_str(json_at(kinds, i)), kind))
            return;
    settings_complain(settings, member.pointer, "is not a key of kind %.*s", STR_ARG(kind));
}

/* A key without effect is a mistake. */
static void check_sink_keys(struct settings *settings, const struct config *config)
{
    struct setting root = settings_root(settings);
    struct setting sinks = settings_get(settings, &root, "sinks");

    for (size_t i = 0; i < config->sink_count; i++) {
        struct setting sink = settings_at(settings, &sinks, i);
        struct str pointer = arena_printf(config->arena, "/sinks/%zu/kind", i);

        if (!json_is_object(sink.value) || settings_has_problem(settings, pointer))
            continue; /* its kind is not known */
        for (JSON_EACH(member, sink.value))
            check_member(settings, &sink, json_find_str(sink.value, "kind"), json_key(member));
    }
}

static void check_sink_linger(struct settings *settings, const struct config *config)
{
    for (size_t i = 0; i < config->sink_count; i++)
        if (config->sinks[i].kind == CONFIG_SINK_S3 && config->sinks[i].linger_us > 0)
            settings_complain(settings, arena_printf(config->arena, "/sinks/%zu/linger", i),
                              "is not a key of kind s3: set max_age");
}

/* Only Glue's versions have UUIDs. */
static void check_glue_headers(struct settings *settings, const struct config *config)
{
    for (size_t i = 0; i < config->sink_count; i++)
        if (config->sinks[i].glue_header && config->registry.kind != CONFIG_REGISTRY_GLUE)
            settings_complain(settings, arena_printf(config->arena, "/sinks/%zu/glue_header", i),
                              "needs registry.kind: glue");
}

void config_sink_rules(struct settings *settings, const struct config *config)
{
    check_sink_keys(settings, config);
    check_sink_names(settings, config);
    check_sink_paths(settings, config);
    check_glue_headers(settings, config);
    check_sink_headers(settings, config);
    check_sink_linger(settings, config);
    config_sink_rules_kafka(settings, config);
    config_sink_rules_aws(settings, config);
    config_sink_rules_s3(settings, config);
}
