/*
 * config_internal.h - what config*.c share among themselves.
 *
 * Loading goes: read and check by the schema (settings/settings.h), take over into struct config
 * (config_read), then the rules that a schema cannot say (config_rules).
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"
#include "server/config/config.h"
#include "settings/settings.h"

struct config_reading {
    struct settings *settings;
    struct arena *arena; /* the configuration's */
};

/** Where a key goes. */
struct config_key {
    const char *path;
    size_t offset; /* in the struct that its table fills */
    void (*read)(const struct config_reading *reading, const struct setting *from, void *to);
};

/** The keys of one struct: of the whole configuration, or of a list's elements. */
struct config_table {
    const char *path; /* of the list; "": the whole */
    const struct config_key *keys;
    size_t count;
    size_t size;         /* of the struct */
    size_t list_offset;  /* in struct config: the list, */
    size_t count_offset; /* and how long it is */
};

/** All tables; the first is that of the whole. */
size_t config_table_count(void);
const struct config_table *config_table(size_t index);

/** Take every key over. What the schema has refused already is left empty. */
void config_read(struct settings *settings, struct config *config);

/**
 * Split `text`: `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`. False for other texts, also for
 * other names: what a name stands for can change.
 */
bool config_address_parse(struct arena *arena, struct str text, struct config_address *out);

/** Complain where keys do not go together. */
void config_rules(struct settings *settings, const struct config *config);

/** Keep the values of the groups in `config`, for config_is_same(). */
void config_remember(struct settings *settings, struct config *config);

/** Complain about keys that differ from `running` and cannot change. */
void config_check_fixed(struct settings *settings, const struct config *config,
                        const struct config *running);

/** Complain about files that are named and cannot be read. */
void config_check_files(struct settings *settings, const struct config *config,
                        enum config_files which);

/** What the server itself does with the file at `path`, so that no sink may write to it; or NULL.
 */
const char *config_file_use(const struct config *config, const char *path);

/** Complain about routes that no event can reach. */
void config_check_routes(struct settings *settings, const struct config *config);

/** config_rules() for the sinks. */
void config_sink_rules(struct settings *settings, const struct config *config);
