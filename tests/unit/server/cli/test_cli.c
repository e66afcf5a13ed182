/*
 * test_cli.c - claims about server/cli/cli.h.
 */
#include "server/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/memory.h"
#include "server/cli/commands.h"
#include "tests/unit/capture.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"

enum { ARGUMENTS = 8 };

static struct str out; /* what the last parse wrote */
static struct str err;

static char *words_now[ARGUMENTS + 1]; /* to be freed; the parser reorders argv */

static void free_words(void)
{
    for (size_t i = 0; words_now[i]; i++) {
        mem_free(words_now[i]);
        words_now[i] = NULL;
    }
}

/* Parse the words before the first NULL; the command is "explain". */
static bool parse(const char *const words[ARGUMENTS], const struct cli_spec *spec, struct cli *cli,
                  int *status)
{
    static char *argv[ARGUMENTS + 2];
    struct capture capture_out;
    struct capture capture_err;
    int argc = 1;

    free_words();
    argv[0] = (char[]){ "explain" };
    for (; words[argc - 1]; argc++)
        argv[argc] = words_now[argc - 1] = mem_copy_string(words[argc - 1]);
    argv[argc] = NULL;
    mem_free((void *)out.ptr);
    mem_free((void *)err.ptr);
    capture_begin(&capture_out, STDOUT_FILENO);
    capture_begin(&capture_err, STDERR_FILENO);

    bool ok = cli_parse(argc, argv, spec, cli, status);

    err = capture_end(&capture_err);
    out = capture_end(&capture_out);
    return ok;
}

static bool json; /* what the options of `explain` set */
static const char *url;

static bool read_even(void *self, const char *value, struct error *why)
{
    (void)self;
    return strlen(value) % 2 == 0 || fail(why, ERR_CONFIG, "--even wants a text of even length");
}

static const struct cli_option options[] = {
    { "json", 0, NULL, "an object", .flag = &json },
    { "url", 'u', "URL", "two\nlines", .text = &url },
    { "even", 0, "TEXT", "of even length", .read = read_even },
    { 0 },
};

static const struct cli_spec explain = {
    .usage = "sluice explain [-c FILE]\nsluice explain --json",
    .about = "Explain.\n",
    .ending = "Exits.\n",
    .options = options,
    .takes_config = true,
    .max_arguments = 2,
};

static void reads_options_and_arguments(void)
{
    static const struct {
        const char *words[ARGUMENTS];
        const char *config;
        bool json;
        int count;
        const char *first;
    } cases[] = {
        { { NULL }, NULL, false, 0, "" },
        { { "-c", "a.yaml" }, "a.yaml", false, 0, "" },
        { { "-ca.yaml" }, "a.yaml", false, 0, "" },
        { { "--config", "a.yaml" }, "a.yaml", false, 0, "" },
        { { "--config=a.yaml", "--json", "x" }, "a.yaml", true, 1, "x" },
        { { "x", "--json", "y" }, NULL, true, 2, "x" },
        { { "-" }, NULL, false, 1, "-" },
        { { "--", "--json" }, NULL, false, 1, "--json" },
        { { "-c", "a", "-c", "b" }, "b", false, 0, "" },
        { { "-c", "" }, "", false, 0, "" },
        { { "-c", "--json" }, "--json", false, 0, "" },
        { { "--even", "ab" }, NULL, false, 0, "" },
    };

    (void)unsetenv("SLUICE_CONFIG"); /* NOLINT(concurrency-mt-unsafe) */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cli cli = { 0 };
        int status = -1;

        TEST_CASE(cases[i].words[0] ? cases[i].words[0] : "nothing");
        json = false;
        CHECK(parse(cases[i].words, &explain, &cli, &status));
        CHECK_INT(status, -1);
        CHECK((cli.config_path == NULL) == (cases[i].config == NULL));
        CHECK_STR(str_from_c(cli.config_path), cases[i].config ? cases[i].config : "");
        CHECK(json == cases[i].json);
        CHECK_INT(cli.argument_count, cases[i].count);
        if (cli.argument_count > 0)
            CHECK_STR(str_from_c(cli.arguments[0]), cases[i].first);
        CHECK(out.len == 0 && err.len == 0);
    }
}

static void refuses_what_it_does_not_know(void)
{
    static const struct {
        const char *words[ARGUMENTS];
        const char *text;
    } cases[] = {
        { { "--nonsense" }, "unknown option, or one without its value: --nonsense" },
        { { "-x" }, "unknown option, or one without its value: -x" },
        { { "-j" }, "unknown option, or one without its value: -j" },
        { { "-c" }, "unknown option, or one without its value: -c" },
        { { "--config" }, "unknown option, or one without its value: --config" },
        { { "--json=1" }, "unknown option, or one without its value: --json=1" },
        { { "-u" }, "unknown option, or one without its value: -u" },
        { { "--even", "abc" }, "--even wants a text of even length" },
        { { "a", "b", "c" }, "too many arguments: c" },
        { { "--", "a", "b", "c" }, "too many arguments: c" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cli cli = { .config_path = "untouched" };
        int status = -1;
        char expected[200];

        TEST_CASE(cases[i].words[0]);
        CHECK(!parse(cases[i].words, &explain, &cli, &status));
        CHECK_INT(status, COMMAND_USAGE);
        (void)snprintf(expected, sizeof(expected),
                       "sluice explain: %s\nTry: sluice explain --help\n", cases[i].text);
        CHECK_STR(err, expected);
        CHECK_STR(out, "");
        CHECK_STR(str_from_c(cli.config_path), "untouched");
    }
}

static void texts_have_long_and_short_forms(void)
{
    struct cli cli;
    int status = -1;

    CHECK(parse((const char *[ARGUMENTS]){ "--url", "a" }, &explain, &cli, &status));
    CHECK_STR(str_from_c(url), "a");
    CHECK(parse((const char *[ARGUMENTS]){ "-ub" }, &explain, &cli, &status));
    CHECK_STR(str_from_c(url), "b");
}

static void a_command_takes_only_what_its_spec_has(void)
{
    static const struct cli_spec spec = { .usage = "sluice version", .about = "" };
    static const char *const words[][ARGUMENTS] = { { "--json" }, { "-c", "a" }, { "argument" } };
    struct cli cli;

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        int status = -1;

        CHECK(!parse(words[i], &spec, &cli, &status));
        CHECK_INT(status, COMMAND_USAGE);
    }
}

static void help_is_an_answer(void)
{
    static const char *const words[][ARGUMENTS] = { { "--help" },
                                                    { "-h" },
                                                    { "--json", "x", "-h" } };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        struct cli cli;
        int status = -1;

        CHECK(!parse(words[i], &explain, &cli, &status));
        CHECK_INT(status, COMMAND_OK);
        CHECK_STR(out, "Usage: sluice explain [-c FILE]\n"
                       "       sluice explain --json\n"
                       "\n"
                       "Explain.\n"
                       "\n"
                       "  -c, --config FILE  the configuration; else $SLUICE_CONFIG, else built-in "
                       "defaults\n"
                       "      --json         an object\n"
                       "  -u, --url URL      two\n"
                       "                     lines\n"
                       "      --even TEXT    of even length\n"
                       "  -h, --help         this text\n"
                       "\n"
                       "Exits.\n");
        CHECK_STR(err, "");
    }
}

static void the_environment_names_the_file_when_no_option_does(void)
{
    struct cli cli;
    int status;

    (void)setenv("SLUICE_CONFIG", "env.yaml", 1); /* NOLINT(concurrency-mt-unsafe) */
    CHECK(parse((const char *[ARGUMENTS]){ NULL }, &explain, &cli, &status));
    CHECK_STR(str_from_c(cli.config_path), "env.yaml");
    CHECK(parse((const char *[ARGUMENTS]){ "-c", "own.yaml" }, &explain, &cli, &status));
    CHECK_STR(str_from_c(cli.config_path), "own.yaml");
    (void)unsetenv("SLUICE_CONFIG"); /* NOLINT(concurrency-mt-unsafe) */
}

static void problems_of_the_configuration_go_to_standard_error(void)
{
    struct folder folder;
    char path[FOLDER_PATH_SIZE];
    char beginning[FOLDER_PATH_SIZE + 80];
    struct capture capture;
    struct config *config = NULL;

    folder_init(&folder);
    folder_write(&folder, "sluice.yaml", STR("http:\n  max_bodyy: 1\n"));
    folder_path(&folder, "sluice.yaml", path);
    capture_begin(&capture, STDERR_FILENO);

    bool ok = cli_load_config(&(struct cli){ .config_path = path }, &config);
    struct str said = capture_end(&capture);

    CHECK(!ok && !config);
    (void)snprintf(beginning, sizeof(beginning),
                   "%s:2: http.max_bodyy: unknown key, is max_body meant?\n", path);
    CHECK_STR(said, beginning);
    mem_free((void *)said.ptr);
    folder_done(&folder);
    CHECK(cli_load_config(&(struct cli){ 0 }, &config));
    config_destroy(config);
}

int main(void)
{
    RUN(reads_options_and_arguments);
    RUN(refuses_what_it_does_not_know);
    RUN(texts_have_long_and_short_forms);
    RUN(a_command_takes_only_what_its_spec_has);
    RUN(help_is_an_answer);
    RUN(the_environment_names_the_file_when_no_option_does);
    RUN(problems_of_the_configuration_go_to_standard_error);
    free_words();
    mem_free((void *)out.ptr);
    mem_free((void *)err.ptr);
    return test_end();
}
