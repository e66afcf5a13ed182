/*
 * cli.c - see cli.h.
 */
#include "server/cli/cli.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "server/cli/commands.h"

enum {
    OPTIONS_MAX = 16,
    LETTERS_SIZE = 2 * OPTIONS_MAX + 1,
    LABEL_SIZE = 64,
    LONG_ONLY = 256, /* getopt_long() returns LONG_ONLY + index for an option without a letter */
};

/* The options of a command with --config and --help, which the reader adds. */
struct option_table {
    struct cli_option rows[OPTIONS_MAX];
    size_t count;
    const char *config;
    bool help;
};

/* Gets the tables instead of cli_parse(), before any thread. */
static struct {
    void (*visit)(void *self, const struct cli_spec *spec, struct cli_options options);
    void *self;
} visitor;

void cli_visit(void (*visit)(void *self, const struct cli_spec *spec, struct cli_options options),
               void *self)
{
    visitor.visit = visit;
    visitor.self = self;
}

void cli_print(struct str text)
{
    if (text.len > 0)
        (void)fwrite(text.ptr, 1, text.len, stdout);
}

void cli_print_all(struct buf *out)
{
    cli_print(buf_str(out));
    buf_done(out);
}

void cli_complain(const char *command, const char *text)
{
    (void)fprintf(stderr, "sluice %s: %s\n", command, text);
}

int cli_refuse(const char *command, const char *text)
{
    cli_complain(command, text);
    (void)fprintf(stderr, "Try: sluice %s --help\n", command);
    return COMMAND_USAGE;
}

int cli_status(const struct error *err)
{
    bool is_no = err->code == ERR_NOT_FOUND || err->code == ERR_INVALID;

    return is_no ? COMMAND_NO : COMMAND_ENVIRONMENT;
}

static int refuse_word(const char *command, const char *text, const char *word)
{
    struct error err;

    (void)fail(&err, ERR_INVALID, "%s: %s", text, word);
    return cli_refuse(command, err.text);
}

static void add_row(struct option_table *table, struct cli_option row)
{
    assert(table->count < OPTIONS_MAX);
    table->rows[table->count++] = row;
}

static void make_table(struct option_table *table, const struct cli_spec *spec)
{
    *table = (struct option_table){ 0 };
    if (spec->takes_config)
        add_row(table, (struct cli_option){
                           "config", 'c', "FILE",
                           "the configuration; else $SLUICE_CONFIG, else built-in defaults",
                           .text = &table->config });
    for (const struct cli_option *row = spec->options; row && row->name; row++)
        add_row(table, *row);
    add_row(table, (struct cli_option){ "help", 'h', .help = "this text", .flag = &table->help });
}

/* Help. */

static int write_label(const struct cli_option *option, char label[static LABEL_SIZE])
{
    const char letter[] = { '-', option->letter, ',', ' ', '\0' };

    return snprintf(label, LABEL_SIZE, "  %-4s--%s%s%s", option->letter ? letter : "", option->name,
                    option->value ? " " : "", option->value ? option->value : "");
}

static void print_lines(const char *first, int width, const char *lines)
{
    (void)printf("%-*s", width, first);
    for (; *lines; lines++) {
        (void)putchar(*lines);
        if (*lines == '\n')
            (void)printf("%*s", width, "");
    }
    (void)putchar('\n');
}

static void print_help(const struct cli_spec *spec, const struct option_table *table)
{
    char label[LABEL_SIZE];
    int width = 0;

    for (size_t i = 0; i < table->count; i++) {
        int len = write_label(&table->rows[i], label) + 2;

        width = len > width ? len : width;
    }
    print_lines("Usage:", (int)sizeof("Usage:"), spec->usage);
    (void)printf("\n%s\n", spec->about);
    for (size_t i = 0; i < table->count; i++) {
        (void)write_label(&table->rows[i], label);
        print_lines(label, width, table->rows[i].help);
    }
    if (spec->ending)
        (void)printf("\n%s", spec->ending);
}

/* Reading. */

static struct cli_option *find_row(struct option_table *table, int found)
{
    for (size_t i = 0; i < table->count; i++)
        if (found == LONG_ONLY + (int)i || (found == table->rows[i].letter && found != 0))
            return &table->rows[i];
    return NULL;
}

/* The next option of the command line. False: there is none; `*row` NULL: it is wrong. */
static bool next_option(int argc, char **argv, struct option_table *table, struct cli_option **row)
{
    struct option options[OPTIONS_MAX + 1] = { 0 };
    char letters[LETTERS_SIZE] = "";
    size_t len = 0;

    for (size_t i = 0; i < table->count; i++) {
        const struct cli_option *from = &table->rows[i];

        options[i].name = from->name;
        options[i].has_arg = from->value ? required_argument : no_argument;
        options[i].val = LONG_ONLY + (int)i;
        if (from->letter)
            letters[len++] = from->letter;
        if (from->letter && from->value)
            letters[len++] = ':';
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread */
    int found = getopt_long(argc, argv, letters, options, NULL);

    *row = find_row(table, found);
    return found != -1;
}

static bool apply(const struct cli_option *row, struct error *err)
{
    if (row->read)
        return row->read(row->self, optarg, err);
    if (row->text)
        *row->text = optarg;
    else
        *row->flag = true;
    return true;
}

bool cli_parse(int argc, char **argv, const struct cli_spec *spec, struct cli *out,
               int *exit_status)
{
    struct option_table table;
    struct cli_option *row;
    struct error err;

    make_table(&table, spec);
    if (visitor.visit) {
        visitor.visit(visitor.self, spec, (struct cli_options){ table.rows, table.count });
        *exit_status = COMMAND_OK;
        return false;
    }
    optind = 0; /* makes getopt_long() begin with this command line */
    opterr = 0;
    while (next_option(argc, argv, &table, &row)) {
        if (!row) {
            *exit_status =
                refuse_word(argv[0], "unknown option, or one without its value", argv[optind - 1]);
            return false;
        }
        if (!apply(row, &err)) {
            *exit_status = cli_refuse(argv[0], err.text);
            return false;
        }
        if (table.help) {
            print_help(spec, &table);
            *exit_status = COMMAND_OK;
            return false;
        }
    }
    if (argc - optind > spec->max_arguments) {
        *exit_status =
            refuse_word(argv[0], "too many arguments", argv[optind + spec->max_arguments]);
        return false;
    }
    *out = (struct cli){ .config_path = spec->takes_config ? config_path(table.config) : NULL,
                         .needs_files = spec->needs_files,
                         .arguments = argv + optind,
                         .argument_count = argc - optind };
    return true;
}

/* The configuration. */

void cli_hint(const struct cli *cli)
{
    if (!cli->config_path)
        (void)fputs("No configuration file was named, and the built-in defaults look for conf/ and "
                    "var/ in the working\ndirectory. Name one with -c FILE, as -c "
                    "/etc/sluice/sluice.yaml, or in SLUICE_CONFIG.\n",
                    stderr);
}

bool cli_load_config(const struct cli *cli, struct config **out)
{
    struct config_review *review;
    struct error err = { 0 };

    if (!config_review_open(cli->config_path, &review, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return false;
    }
    if (cli->needs_files)
        config_review_files(review, CONFIG_FILES_NEEDED);
    for (size_t i = 0; i < settings_problem_count(review->settings); i++)
        (void)fprintf(stderr, "%s\n", settings_problem(review->settings, i)->text);

    bool ok = config_review_take(review, out);

    config_review_close(review);
    if (!ok)
        cli_hint(cli);
    return ok;
}
