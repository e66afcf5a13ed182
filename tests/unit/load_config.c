/*
 * load_config.c - see load_config.h.
 */
#include "tests/unit/load_config.h"

#include <string.h>

#include "base/buf.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

bool load_config(const char *path, struct config **out, struct error *err)
{
    struct config_review *review;
    bool ok;

    if (!config_review_open(path, &review, err))
        return false;
    ok = config_review_take(review, out) ||
         fail(err, ERR_CONFIG, "%s", settings_problem(review->settings, 0)->text);
    config_review_close(review);
    return ok;
}

struct problems {
    struct buf text;
    const char *path;
};

static void add_problem(struct problems *problems, const char *line)
{
    struct str text = str_from_c(line);

    if (str_starts_with(text, str_from_c(problems->path)))
        text = str_from(text, strlen(problems->path) + 1);
    buf_add(&problems->text, text);
    buf_add_char(&problems->text, '\n');
}

void check_problems(const char *yaml, const char *expected)
{
    struct problems problems = { .path = scratch_file(yaml) };
    struct config_review *review;
    struct config *config = NULL;
    struct error err = { 0 };
    bool ok = false;

    buf_init(&problems.text, 100000);
    if (config_review_open(problems.path, &review, &err)) {
        config_review_lint(review);
        config_review_files(review, CONFIG_FILES_ALL);
        for (size_t i = 0; i < settings_problem_count(review->settings); i++)
            add_problem(&problems, settings_problem(review->settings, i)->text);
        ok = config_review_take(review, &config);
        config_review_close(review);
    } else {
        add_problem(&problems, err.text);
    }
    CHECK(ok == (*expected == '\0'));
    CHECK_STR(buf_str(&problems.text), expected);
    config_destroy(config);
    buf_done(&problems.text);
    scratch_close();
}

void check_problem_cases(const struct problem_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        TEST_CASE(cases[i].yaml);
        check_problems(cases[i].yaml, cases[i].problems);
    }
}
