/*
 * cmd_check.c - `sluice check`: can this configuration be served? For deploy pipelines.
 *
 * One run finds all problems, of the configuration and of the files that it names. Problems of the
 * configuration file come in the order of its lines.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/fetch.h"
#include "base/json.h"
#include "base/memory.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/findings.h"
#include "server/cli/inspect.h"

struct checking {
    bool json;
    bool offline;
    bool print;
    struct config_review *review;
    struct arena *arena;    /* for texts */
    const char **elsewhere; /* problems that belong to no key of the configuration */
    size_t count;
    size_t capacity;
};

static bool check_is_sound(void *self, const char *pointer)
{
    const struct checking *checking = self;

    return !settings_has_problem(checking->review->settings, str_from_c(pointer));
}

/* A transform is looked at once for each schema that it is used with. */
static void add_elsewhere(struct checking *checking, const char *text)
{
    for (size_t i = 0; i < checking->count; i++)
        if (strcmp(checking->elsewhere[i], text) == 0)
            return;
    checking->elsewhere = mem_grow((void *)checking->elsewhere, checking->count,
                                   &checking->capacity, sizeof(*checking->elsewhere));
    checking->elsewhere[checking->count++] = arena_copy(checking->arena, str_from_c(text)).ptr;
}

/* A warning, or something that the operator should know. */
static void remark(const struct checking *checking, const struct inspect_line *line)
{
    const char *level = line->finding == INSPECT_WARNING ? "warning" : "note";
    struct settings_problem place =
        settings_place(checking->review->settings, str_from_c(line->pointer));
    const struct finding finding = { .level = line->finding,
                                     .what = line->what,
                                     .text = line->text,
                                     .file = place.file,
                                     .line = place.line,
                                     .key = place.key };

    if (checking->json)
        finding_print_json(&finding);
    else if (place.line > 0)
        (void)fprintf(stderr, "%s: %s:%zu: %s: %s\n", level, place.file, place.line, place.key,
                      line->text);
    else
        (void)fprintf(stderr, "%s: %s: %s\n", level, place.key, line->text);
}

static void check_on_finding(void *self, const struct inspect_line *line)
{
    struct checking *checking = self;

    if (line->finding == INSPECT_WARNING || strcmp(line->what, INSPECT_EVENT_FIELD) == 0)
        remark(checking, line);
    if (line->finding != INSPECT_FAILURE)
        return;
    if (*line->pointer)
        settings_complain(checking->review->settings, str_from_c(line->pointer), "%s", line->text);
    else
        add_elsewhere(checking, line->text);
}

static void inspect_all(struct checking *checking)
{
    const struct inspect_options options = { .asks_registry = !checking->offline,
                                             .is_sound = check_is_sound,
                                             .report = check_on_finding,
                                             .self = checking };

    config_review_lint(checking->review);
    config_review_files(checking->review, CONFIG_FILES_ALL);
    inspect(checking->review->config, &options);
}

static void print_problems(const struct checking *checking)
{
    for (size_t i = 0; i < settings_problem_count(checking->review->settings); i++)
        finding_print_problem(checking->review, i, checking->json);
    for (size_t i = 0; i < checking->count; i++)
        finding_print_text("transform", checking->elsewhere[i], checking->json);
}

static void print_effective(const struct checking *checking)
{
    struct buf *text = arena_buf(checking->arena, SIZE_MAX);

    settings_write(checking->review->settings, text);
    cli_print(buf_str(text));
}

/* True: nothing is wrong. */
static void remark_clear_text(struct checking *checking)
{
    const struct config *config = checking->review->config;
    const struct inspect_line lines[] = {
        { INSPECT_WARNING, "clear_text", "/http/listen", config_clear_text(config) },
        { INSPECT_WARNING, "clear_text", "/admin/listen", config_admin_clear_text(config) },
    };

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        if (lines[i].text)
            remark(checking, &lines[i]);
}

static bool check(struct checking *checking, const char *config_path, struct error *err)
{
    if (!fetch_init(err) || !config_review_open(config_path, &checking->review, err))
        return false;
    checking->arena = arena_create();
    inspect_all(checking);
    print_problems(checking);

    bool ok = settings_problem_count(checking->review->settings) + checking->count == 0;

    if (ok && checking->print)
        print_effective(checking);

    if (ok)
        remark_clear_text(checking);
    mem_free((void *)checking->elsewhere);
    arena_destroy(checking->arena);
    config_review_close(checking->review);
    return ok;
}

int cmd_check(int argc, char **argv)
{
    struct checking checking = { 0 };
    const struct cli_option options[] = {
        { "offline", 0, NULL, "do not ask AWS Glue", .flag = &checking.offline },
        { "print", 0, NULL,
          "if nothing is wrong, print all keys with the values in force; JSON, which is\n"
          "YAML as well; headers of sinks are hidden",
          .flag = &checking.print },
        { "json", 0, NULL, "a JSON object for each problem and warning", .flag = &checking.json },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice check [-c FILE] [--offline] [--json] [--print]",
        .about = "Read the configuration and what it names (transforms, secrets, keys, "
                 "certificate, schemas,\n"
                 "store, sinks), and print each problem on a line: FILE:LINE: KEY: what. Warnings "
                 "go to standard\n"
                 "error, and so do notes of which keys, prefixes and types of a sink come from the "
                 "record.\n"
                 "Starts nothing, and contacts only AWS Glue, for schemas in it.\n",
        .ending = "Exits with 0 when nothing is wrong, else with 1.\n",
        .options = options,
        .takes_config = true,
    };
    struct cli cli;
    struct error err = { 0 };
    int status;

    if (!cli_parse(argc, argv, &spec, &cli, &status))
        return status;
    log_configure(LOG_ERROR, LOG_TEXT); /* the findings say the same */
    (void)signal(SIGPIPE, SIG_IGN);     /* of connections */
    if (check(&checking, cli.config_path, &err)) {
        if (!checking.json && !checking.print)
            (void)printf("%s: ok\n", cli.config_path ? cli.config_path : "built-in defaults");
        return COMMAND_OK;
    }
    if (err.text[0])
        finding_print_text("configuration", err.text, checking.json);
    cli_hint(&cli);
    return COMMAND_NO;
}
