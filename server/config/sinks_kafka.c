/*
 * sinks_kafka.c - the rules for Kafka sinks that a schema cannot express.
 */
#include "server/config/config_internal.h"

struct kafka_place {
    struct settings *settings;
    struct arena *arena;
    const struct config_sink *sink;
    size_t index;
};

static struct str key_pointer(const struct kafka_place *place, const char *key)
{
    return arena_printf(place->arena, "/sinks/%zu/%s", place->index, key);
}

/* Do all brokers run on this machine? */
static bool are_brokers_local(const struct config_strings *brokers)
{
    static const char *const hosts[] = { "localhost:", "127.0.0.1:", "[::1]:" };
    bool all = true;

    for (size_t i = 0; i < brokers->count; i++) {
        bool is = false;

        for (size_t j = 0; j < COUNT_OF(hosts); j++)
            is = is || str_starts_with(str_from_c(brokers->list[i]), str_from_c(hosts[j]));
        all = all && is;
    }
    return all;
}

static void check_login(const struct kafka_place *place)
{
    const struct config_sasl *sasl = &place->sink->sasl;
    bool has_any = *sasl->user || *sasl->password_file;
    bool has_both = *sasl->user && *sasl->password_file;

    if (sasl->mechanism == CONFIG_SASL_NONE && has_any)
        settings_complain(place->settings, key_pointer(place, "sasl/mechanism"), "is missing");
    else if (sasl->mechanism == CONFIG_SASL_MSK_IAM && has_any)
        settings_complain(place->settings, key_pointer(place, "sasl"),
                          "AWS_MSK_IAM has no user and no password_file");
    else if (sasl->mechanism != CONFIG_SASL_NONE && sasl->mechanism != CONFIG_SASL_MSK_IAM &&
             !has_both)
        settings_complain(place->settings, key_pointer(place, "sasl"),
                          "needs user and password_file");
}

static void check_clear_text(const struct kafka_place *place)
{
    enum config_sasl_mechanism mechanism = place->sink->sasl.mechanism;

    if ((mechanism == CONFIG_SASL_PLAIN || mechanism == CONFIG_SASL_MSK_IAM) &&
        !place->sink->tls.enabled && !are_brokers_local(&place->sink->brokers))
        settings_complain(place->settings, key_pointer(place, "sasl/mechanism"),
                          "sends credentials in clear text: set tls");
}

static void check_kafka(const struct kafka_place *place)
{
    const struct config_sink *sink = place->sink;

    if (sink->in_flight > 1)
        settings_complain(place->settings, key_pointer(place, "in_flight"),
                          "is not a key of kind kafka: its client has many records in flight");
    if (!*sink->tls.cert_file != !*sink->tls.key_file)
        settings_complain(place->settings, key_pointer(place, "tls"),
                          "needs both files, cert_file and key_file, or none");
    for (size_t i = 0; i < sink->headers.count; i++)
        if (str_equal(str_from_c(sink->headers.list[i].key), STR("sluice-key")))
            settings_complain(place->settings, key_pointer(place, "headers/sluice-key"),
                              "Sluice sets this header itself");
    check_login(place);
    check_clear_text(place);
}

void config_sink_rules_kafka(struct settings *settings, const struct config *config)
{
    for (size_t i = 0; i < config->sink_count; i++)
        if (config->sinks[i].kind == CONFIG_SINK_KAFKA)
            check_kafka(&(struct kafka_place){ settings, config->arena, &config->sinks[i], i });
}
