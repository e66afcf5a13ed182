/*
 * findings.c - see findings.h.
 */
#include "server/cli/findings.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "server/cli/cli.h"

enum { JSON_MAX = 64 * 1024 };

const char *finding_level(enum inspect_finding level)
{
    static const char *const words[] = { "ok", "warn", "fail" };

    return words[level];
}

static void add_text(struct buf *out, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    buf_printf(out, ",\"%s\":", name);
    json_write_string(out, str_from_c(text));
}

void finding_print_json(const struct finding *finding)
{
    struct buf out;

    buf_init(&out, JSON_MAX);
    buf_printf(&out, "{\"finding\":\"%s\"", finding_level(finding->level));
    add_text(&out, "what", finding->what);
    add_text(&out, "file", finding->file);
    if (finding->line > 0)
        buf_printf(&out, ",\"line\":%zu", finding->line);
    add_text(&out, "key", finding->key);
    add_text(&out, "text", finding->text);
    buf_add(&out, STR("}\n"));
    cli_print(buf_str(&out));
    buf_done(&out);
}

void finding_print_problem(const struct config_review *review, size_t index, bool json)
{
    const struct settings_problem parts = config_review_parts(review, index);

    if (!json) {
        (void)puts(config_review_line(review, index));
        return;
    }
    finding_print_json(&(struct finding){ .level = INSPECT_FAILURE,
                                          .what = "configuration",
                                          .text = parts.what,
                                          .file = parts.file,
                                          .line = parts.line,
                                          .key = parts.key });
}

void finding_print_text(const char *what, const char *text, bool json)
{
    if (json)
        finding_print_json(
            &(struct finding){ .level = INSPECT_FAILURE, .what = what, .text = text });
    else
        (void)puts(text);
}
