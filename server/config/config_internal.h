/*
 * config_internal.h - what the files of config.h share.
 *
 * Loading has three steps: read the file and check it by the schema
 * (settings/settings.h), copy the values to struct config (config_read), and check the rules that a
 * schema cannot express (config_rules).
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"
#include "server/config/config.h"
#include "settings/settings.h"

struct config_reading {
    struct settings *settings;
    struct arena *arena; /* of the configuration */
    struct str folder;   /* of its file, with the slash; empty: the working directory */
};

/** A key and the member of a struct that holds its value. */
struct config_key {
    const char *path;
    size_t offset; /* in the struct of its table */
    void (*read)(const struct config_reading *reading, const struct setting *from, void *to);
};

/** The keys of one struct: the whole configuration, or an element of a list. */
struct config_table {
    const char *path; /* of the list; "": the whole configuration */
    const struct config_key *keys;
    size_t count;
    size_t size;         /* of the struct */
    size_t list_offset;  /* of the list in struct config */
    size_t count_offset; /* of its length in struct config */
};

/** All tables; the first is that of the whole configuration. */
size_t config_table_count(void);
const struct config_table *config_table(size_t index);

/** Copy the value of every key. A value that the schema refuses is left empty. */
void config_read(struct settings *settings, struct config *config);

/**
 * Split `text`: `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`. False for other texts, also for
 * other names: what a name stands for can change.
 */
bool config_address_parse(struct arena *arena, struct str text, struct config_address *out);

/** Add a problem for each conflict between keys. */
void config_rules(struct settings *settings, const struct config *config);

/**
 * Move the secrets that variables of the environment have to base/vault.h, and overwrite them in
 * the environment. Adds a problem for each variable that has none.
 */
void config_take_secrets(struct settings *settings, const struct config *config);

/** Keep the values of the groups in `config`, for config_is_same(). */
void config_remember(struct settings *settings, struct config *config);

/** Add a problem for each key that differs from `running` and cannot change. */
void config_check_fixed(struct settings *settings, const struct config *config,
                        const struct config *running);

/** Add a problem for each file that cannot be read, or for sinks written. */
void config_check_files(struct settings *settings, const struct config *config,
                        enum config_files which);

/** Make the list of the files that the server reads and writes itself. */
void config_list_own_files(struct config *config);

/** Why no sink may write to the file at `path`: what the server does with it; NULL: nothing. */
const char *config_file_use(struct settings *settings, const struct config *config,
                            const char *path);

/** config_rules() for the routes. */
void config_route_rules(struct settings *settings, const struct config *config);

/** Add a problem for each route that no event can reach, and each sink that no route names. */
void config_check_routes(struct settings *settings, const struct config *config);

/** config_sink_rules() for Kafka. */
void config_sink_rules_kafka(struct settings *settings, const struct config *config);

/** config_sink_rules() for the kinds of AWS. */
void config_sink_rules_aws(struct settings *settings, const struct config *config);

/** config_sink_rules() for S3. */
void config_sink_rules_s3(struct settings *settings, const struct config *config);

/** config_rules() for the sinks. */
void config_sink_rules(struct settings *settings, const struct config *config);
