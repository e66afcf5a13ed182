/*
 * test_report.c - see test_report.h.
 *
 * https://testanything.org/tap-version-14-specification.html
 */
#include "server/cli/test_report.h"

#include "base/chars.h"
#include "base/file.h"
#include "base/flat.h"
#include "server/cli/cli.h"

enum { REPORT_MAX = 256 * 1024 * 1024 };

void test_report_init(struct test_report *report)
{
    *report = (struct test_report){ 0 };
    buf_init(&report->tap, REPORT_MAX);
    buf_init(&report->cases, REPORT_MAX);
    buf_add(&report->tap, STR("TAP version 14\n"));
}

void test_report_done(struct test_report *report)
{
    buf_done(&report->tap);
    buf_done(&report->cases);
}

/* A description: on one line, with `#` and `\` escaped. */
static void add_description(struct buf *out, struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (c == '#' || c == '\\')
            buf_add_char(out, '\\');
        buf_add(out, (unsigned char)c < 0x20 ? STR(" ") : (struct str){ &c, 1 });
    }
}

/* Text between tags or in an attribute. Control characters have no place in XML. */
static void add_xml(struct buf *out, struct str text)
{
    static const struct {
        char c;
        struct str entity;
    } entities[] = {
        { '<', STR_INIT("&lt;") },
        { '>', STR_INIT("&gt;") },
        { '&', STR_INIT("&amp;") },
        { '"', STR_INIT("&quot;") },
    };

    for (size_t i = 0; i < text.len; i++) {
        struct str piece = { text.ptr + i, 1 };

        for (size_t j = 0; j < COUNT_OF(entities); j++)
            if (entities[j].c == text.ptr[i])
                piece = entities[j].entity;
        if ((unsigned char)text.ptr[i] < 0x20 && text.ptr[i] != '\n')
            piece = STR("?");
        buf_add(out, piece);
    }
}

static void add_differences(struct buf *out, struct str place, struct str differences)
{
    buf_printf(out, "  ---\n  at: ");
    json_write_string(out, place);
    buf_add(out, STR("\n  differences:\n"));
    while (differences.len > 0) {
        buf_add(out, STR("    - "));
        json_write_string(out, take_until(&differences, '\n'));
        buf_add_char(out, '\n');
    }
    buf_add(out, STR("  ...\n"));
}

void test_report_add(struct test_report *report, struct str place, struct str name,
                     struct str differences)
{
    bool ok = differences.len == 0;

    report->count++;
    report->failed += !ok;
    buf_printf(&report->tap, "%sok %zu - ", ok ? "" : "not ", report->count);
    add_description(&report->tap, name);
    buf_add_char(&report->tap, '\n');
    if (!ok)
        add_differences(&report->tap, place, differences);
    buf_add(&report->cases, STR("  <testcase classname=\""));
    add_xml(&report->cases, place);
    buf_add(&report->cases, STR("\" name=\""));
    add_xml(&report->cases, name);
    buf_add(&report->cases, ok ? STR("\"/>\n") : STR("\">\n    <failure>"));
    if (ok)
        return;
    add_xml(&report->cases, differences);
    buf_add(&report->cases, STR("</failure>\n  </testcase>\n"));
}

void test_report_print(struct test_report *report)
{
    buf_printf(&report->tap, "1..%zu\n", report->count);
    cli_print_all(&report->tap);
}

bool test_report_write_junit(const struct test_report *report, const char *path, struct error *err)
{
    CLEANUP(buf_done) struct buf xml;

    buf_init(&xml, REPORT_MAX);
    buf_printf(&xml,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<testsuite name=\"sluice\" tests=\"%zu\" failures=\"%zu\">\n",
               report->count, report->failed);
    buf_add(&xml, buf_str(&report->cases));
    buf_add(&xml, STR("</testsuite>\n"));
    return file_replace(path, buf_str(&xml), err);
}
