/*
 * cmd_explain.c - `sluice explain`: take one event through the pipeline, step by step.
 */
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/explain.h"

/* Returns the exit status. */
static int explain_file(const struct config *config, const char *path, bool json)
{
    struct service *service;
    struct error err = { 0 };
    struct str body;

    if (!file_read(path, config->http.max_body, &body, &err)) {
        cli_complain("explain", err.text); /* over http.max_body: the answer would be 413 */
        return err.code == ERR_CONFIG ? COMMAND_NO : COMMAND_ENVIRONMENT;
    }
    if (!service_create(config, NULL, &service, &err)) {
        cli_complain("explain", err.text);
        mem_free((void *)body.ptr);
        return COMMAND_ENVIRONMENT;
    }

    const struct explain_form form = { json, isatty(STDOUT_FILENO) == 1 };
    struct buf out;
    int status = explain(service, config, body, &form, &out);

    cli_print_all(&out);
    service_destroy(service);
    mem_free((void *)body.ptr);
    return status == 200 ? COMMAND_OK : COMMAND_NO;
}

int cmd_explain(int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {
        { "json", 0, NULL, "one JSON object instead of lines", .flag = &json },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice explain [-c FILE] [--json] [EVENT|-]",
        .about =
            "Take the event in the file EVENT (- or none: standard input) through every step "
            "of\n"
            "POST /events, and print what each step found and what the sender would be "
            "answered:\n"
            "for each route why it does not take the event, for each field of the record where "
            "it comes\n"
            "from, and which sinks get it. The events of an array are numbered.\n"
            "Nothing is stored or sent.\n",
        .ending = "Exits with 0 when the answer would be 200, and only then.\n",
        .options = options,
        .takes_config = true,
        .needs_files = true,
        .max_arguments = 1,
    };
    struct cli cli;
    struct config *config;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!cli_load_config(&cli, &config))
        return COMMAND_ENVIRONMENT;
    log_configure(LOG_ERROR, LOG_TEXT);
    status = explain_file(config, cli.argument_count ? cli.arguments[0] : "-", json);
    config_destroy(config);
    return status;
}
