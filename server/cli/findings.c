/*
 * findings.c - see findings.h.
 */
#include "server/cli/findings.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/member.h"
#include "server/cli/cli.h"

enum { JSON_MAX = 64 * 1024 };

const char *finding_level(enum inspect_finding level)
{
    static const char *const words[] = { "ok", "warn", "fail" };

    return words[level];
}

void finding_print_json(const struct finding *finding)
{
    struct buf out;

    buf_init(&out, JSON_MAX);
    buf_add_char(&out, '{');
    member_text(&out, "finding", str_from_c(finding_level(finding->level)));
    member_text(&out, "what", str_from_c(finding->what));
    if (finding->file && *finding->file)
        member_text(&out, "file", str_from_c(finding->file));
    if (finding->line > 0)
        buf_printf(&out, ",\"line\":%zu", finding->line);
    if (finding->key && *finding->key)
        member_text(&out, "key", str_from_c(finding->key));
    member_text(&out, "text", str_from_c(finding->text));
    if (finding->remedy)
        member_text(&out, "remedy", str_from_c(finding->remedy));
    buf_add(&out, STR("}\n"));
    cli_print_all(&out);
}

void finding_print_problem(const struct config_review *review, size_t index, bool json)
{
    const struct settings_problem *problem = settings_problem(review->settings, index);

    if (!json) {
        (void)puts(problem->text);
        return;
    }
    finding_print_json(&(struct finding){ .level = INSPECT_FAILURE,
                                          .what = "configuration",
                                          .text = problem->what,
                                          .file = problem->file,
                                          .line = problem->line,
                                          .key = problem->key });
}

void finding_print_text(const char *what, const char *text, bool json)
{
    if (json)
        finding_print_json(
            &(struct finding){ .level = INSPECT_FAILURE, .what = what, .text = text });
    else
        (void)puts(text);
}
