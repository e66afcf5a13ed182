/*
 * cmd_init.c - `sluice init`: write a minimal configuration for a purpose, with comments.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/embed.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"

EMBED(init_ecs, "conf/init/ecs.yaml");
EMBED(init_k8s, "conf/init/k8s.yaml");
EMBED(init_lambda, "conf/init/lambda.yaml");
EMBED(init_local, "conf/init/local.yaml");
EMBED(init_systemd, "conf/init/systemd.yaml");

/* False: there is no such purpose. */
static bool init_find(const char *purpose, struct str *out)
{
    const struct {
        const char *purpose;
        struct str text;
    } table[] = {
        { "ecs", EMBEDDED(init_ecs) },         { "k8s", EMBEDDED(init_k8s) },
        { "lambda", EMBEDDED(init_lambda) },   { "local", EMBEDDED(init_local) },
        { "systemd", EMBEDDED(init_systemd) },
    };

    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (strcmp(purpose, table[i].purpose) == 0) {
            *out = table[i].text;
            return true;
        }
    return false;
}

/* A file that exists is kept. */
static bool init_write(const char *path, struct str text, struct error *err)
{
    FILE *file = fopen(path, "wx");

    if (!file)
        return fail_errno(err, ERR_SYSTEM, errno, "%s", path);

    bool ok = fwrite(text.ptr, 1, text.len, file) == text.len;

    ok = fclose(file) == 0 && ok;
    return ok || fail_errno(err, ERR_SYSTEM, errno, "%s", path);
}

int cmd_init(int argc, char **argv)
{
    const char *purpose = "local";
    const struct cli_option options[] = {
        { "for", 0, "PURPOSE", "ecs, k8s, lambda, systemd, or local (the default)",
          .text = &purpose },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice init [--for PURPOSE] [FILE|-]",
        .about = "Write a minimal configuration with comments to FILE (sluice.yaml), or to "
                 "standard output (-).\n"
                 "A file that exists is not changed.\n",
        .ending = "Exits with 0 when it is written, 2 for a wrong call, 3 when it cannot be "
                  "written.\n",
        .options = options,
        .max_arguments = 1,
    };
    const char *path = "sluice.yaml";
    struct error err = { 0 };
    struct str text;
    struct cli cli;
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    if (!init_find(purpose, &text))
        return cli_refuse("init", "--for takes ecs, k8s, lambda, systemd or local");
    if (cli.argument_count > 0)
        path = cli.arguments[0];
    if (strcmp(path, "-") == 0) {
        cli_print(text);
        return COMMAND_OK;
    }
    if (init_write(path, text, &err)) {
        (void)fprintf(stderr, "sluice init: wrote %s; next: sluice check -c %s\n", path, path);
        return COMMAND_OK;
    }
    cli_complain("init", err.text);
    return COMMAND_ENVIRONMENT;
}
