/*
 * config_unsupported.c - keys that this version knows and does not act on yet.
 *
 * Refused, because a setting that is read and ignored is a promise broken in silence. What learns
 * to act on a key deletes its row.
 */
#include "server/config_parts.h"

static bool has_sinks(const struct config *config)
{
    return config->sink_count > 0;
}

void config_unsupported(struct settings *settings, const struct config *config)
{
    static const struct {
        bool (*is_set)(const struct config *config);
        struct str pointer;
        const char *text;
    } rows[] = {
        { has_sinks, STR_INIT("/sinks"), "this version has no sinks yet; set it to []" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].is_set(config))
            settings_complain(settings, rows[i].pointer, "%s", rows[i].text);
}
