/*
 * commands.c - the table of the subcommands; see commands.h.
 */
#include "server/cli/commands.h"

#include <string.h>

#include "base/attr.h"

static const struct command commands[] = {
    { "serve", cmd_serve, "receive events (the default)" },
    { "check", cmd_check, "report every problem of the configuration" },
    { "explain", cmd_explain, "run an event through every step and show the results" },
    { "validate", cmd_validate, "check JSON documents against a JSON Schema" },
    { "test", cmd_test, "run tests of routes, schemas and transforms" },
    { "infer", cmd_infer, "propose a schema or a transform from events" },
    { "schema", cmd_schema, "show and change the schemas of a registry" },
    { "doctor", cmd_doctor, "check everything that serving needs on this machine" },
    { "status-map", cmd_status_map, "print the table from outcome to HTTP status" },
    { "describe", cmd_describe, "print the default configuration, with descriptions" },
    { "health", cmd_health, "ask whether the server is alive" },
    { "rejected", cmd_rejected, "count, list, show, replay and discard events that were refused" },
    { "dead", cmd_dead, "list, show, replay and discard records that a sink refused" },
    { "outbox", cmd_outbox, "show the contents of the store and the backlog of each sink" },
    { "top", cmd_top, "show what a running server does: rates, outcomes, sinks" },
    { "console", cmd_console, "print a link to the console of a running server" },
    { "version", cmd_version, "print the version" },
    { "rehearse", cmd_rehearse, "send events as EventBridge would" },
    { "redrive", cmd_redrive, "post the events of a dead-letter queue to the server" },
    { "init", cmd_init, "write a configuration to begin with" },
    { "completion", cmd_completion, "print the completions of a shell" },
    { "man", cmd_man, "print the manual page of a command" },
};

const struct command *command_at(size_t index)
{
    return index < COUNT_OF(commands) ? &commands[index] : NULL;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}
