/*
 * cmd_check.c - `sluice check`: would this configuration serve? For deploy pipelines.
 *
 * What the configuration is read for and what it names are looked at in one run, whatever is wrong
 * elsewhere, and the problems of its file come in the file's order.
 */
#include <signal.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/fetch.h"
#include "base/json.h"
#include "base/memory.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/findings.h"
#include "server/cli/inspect.h"

static const char usage_text[] =
    "Usage: sluice check [-c FILE] [--offline] [--json]\n"
    "\n"
    "Read the configuration and what it names (transforms, secrets, keys, certificate, schemas,\n"
    "store, sinks), and say everything that is wrong, a line each: FILE:LINE: KEY: what. Warnings "
    "go\n"
    "to standard error. Starts nothing and asks nobody but AWS Glue, where the schemas are there.\n"
    "\n"
    "  -c, --config FILE  the configuration; else $SLUICE_CONFIG, else built-in defaults\n"
    "      --offline      leave AWS Glue out\n"
    "      --json         a JSON object for each problem and warning\n"
    "  -h, --help         this text\n"
    "\n"
    "Exits with 0 when all is well, with 1 when anything is wrong.\n";

/* What is found while the configuration is under review. */
struct checking {
    const struct cli *cli;
    struct config_review *review;
    struct arena *arena;    /* of the texts */
    const char **elsewhere; /* problems of other files than the configuration */
    size_t count;
    size_t capacity;
};

static bool is_sound(void *self, const char *pointer)
{
    const struct checking *checking = self;

    return config_review_is_sound(checking->review, pointer);
}

static void add_elsewhere(struct checking *checking, const char *text)
{
    if (checking->count == checking->capacity) {
        checking->capacity = checking->capacity ? 2 * checking->capacity : 16;
        checking->elsewhere = mem_realloc((void *)checking->elsewhere,
                                          checking->capacity * sizeof(*checking->elsewhere));
    }
    checking->elsewhere[checking->count++] = arena_copy(checking->arena, str_from_c(text)).ptr;
}

static void warn(const struct checking *checking, const struct inspect_line *line)
{
    struct settings_problem place = config_review_place(checking->review, line->pointer);
    const struct finding finding = { INSPECT_WARNING, line->what, line->text,
                                     place.file,      place.line, place.key };

    if (checking->cli->json)
        finding_print_json(&finding);
    else if (place.line > 0)
        (void)fprintf(stderr, "warning: %s:%zu: %s: %s\n", place.file, place.line, place.key,
                      line->text);
    else
        (void)fprintf(stderr, "warning: %s: %s\n", place.key, line->text);
}

static void take(void *self, const struct inspect_line *line)
{
    struct checking *checking = self;

    if (line->finding == INSPECT_WARNING)
        warn(checking, line);
    if (line->finding != INSPECT_FAILURE)
        return;
    if (*line->pointer)
        config_review_add(checking->review, line->pointer, line->text);
    else
        add_elsewhere(checking, line->text);
}

static void inspect_all(struct checking *checking)
{
    const struct inspect_options options = { .asks_registry = !checking->cli->offline,
                                             .is_sound = is_sound,
                                             .report = take,
                                             .self = checking };

    config_review_lint(checking->review);
    config_review_files(checking->review, CONFIG_FILES_ALL);
    inspect(config_review_config(checking->review), &options);
}

static void print_problems(const struct checking *checking)
{
    for (size_t i = 0; i < config_review_count(checking->review); i++)
        finding_print_problem(checking->review, i, checking->cli->json);
    for (size_t i = 0; i < checking->count; i++)
        finding_print_text("transform", checking->elsewhere[i], checking->cli->json);
}

/* Review, inspect, print; is all well? */
static bool check(const struct cli *cli, struct error *err)
{
    struct checking checking = { .cli = cli };

    if (!fetch_init(err) || !config_review_open(cli->config_path, &checking.review, err))
        return false;
    checking.arena = arena_create();
    inspect_all(&checking);
    print_problems(&checking);

    bool ok = config_review_count(checking.review) + checking.count == 0;
    const char *risk = config_clear_text(config_review_config(checking.review));

    if (ok && risk)
        warn(&checking,
             &(struct inspect_line){ INSPECT_WARNING, "clear_text", "/http/listen", risk });
    mem_free((void *)checking.elsewhere);
    arena_destroy(checking.arena);
    config_review_close(checking.review);
    return ok;
}

int cmd_check(int argc, char **argv)
{
    static const struct cli_spec spec = { .usage = usage_text,
                                          .takes_json = true,
                                          .takes_offline = true };
    struct cli cli;
    struct error err = { 0 };
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    log_configure(LOG_ERROR, LOG_TEXT); /* the lines below say it all */
    (void)signal(SIGPIPE, SIG_IGN);     /* of connections */
    if (check(&cli, &err)) {
        if (!cli.json)
            (void)printf("%s: ok\n", cli.config_path ? cli.config_path : "built-in defaults");
        return COMMAND_OK;
    }
    if (err.text[0])
        finding_print_text("configuration", err.text, cli.json);
    cli_hint(&cli);
    return COMMAND_NO;
}
