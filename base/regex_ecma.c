/*
 * regex_ecma.c - ECMA-262 patterns rewritten for PCRE2; see regex_ecma_internal.h.
 *
 * One pass from left to right, one function per construct. No byte is copied without being
 * understood: a literal is written as a letter, a digit, an escaped punctuation mark or \x{...}, so
 * PCRE2's own syntax cannot be reached. Named groups become numbered ones. A back-reference may
 * come before its group, so its number is found by scanning the whole pattern again.
 */
#include "base/chars.h"
#include "base/regex_ecma_internal.h"

/* PCRE2's own limit on nested groups. */
enum { MAX_DEPTH = 250 };

/* The characters of ECMA's \s, and all others, as the inside of a class. */
#define SPACES                                                                                     \
    "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}"  \
    "\\x{3000}\\x{feff}"
#define NON_SPACES                                                                                 \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"               \
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"                 \
    "\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

struct rewriter {
    struct ecma_scan scan;
    struct buf *out;
    struct error *err;
    size_t stop_at; /* stop once so many bytes are written */
    unsigned depth;
    bool lookaround[MAX_DEPTH + 1]; /* is the open group of this depth a look-around? */
    bool repeatable;                /* may a quantifier follow? */
};

static bool complain(const struct rewriter *r, size_t at, const char *what)
{
    return fail(r->err, ERR_MALFORMED, "at byte %zu: %s", at, what);
}

static void put_char(struct rewriter *r, uint32_t code)
{
    if (code < 0x80 && (char_is_alnum((char)code) || code == '_')) {
        buf_add_char(r->out, (char)code);
    } else if (code > 0x20 && code < 0x7F) {
        buf_add_char(r->out, '\\');
        buf_add_char(r->out, (char)code);
    } else {
        buf_printf(r->out, "\\x{%x}", code);
    }
}

/* \d, \s, \p{...} and the like. */
static bool put_set(struct rewriter *r, const struct ecma_escape *escape, bool in_class)
{
    switch (escape->letter) {
    case 's':
        buf_add(r->out, in_class ? STR(SPACES) : STR("[" SPACES "]"));
        return true;
    case 'S':
        buf_add(r->out, in_class ? STR(NON_SPACES) : STR("[^" SPACES "]"));
        return true;
    case 'p':
    case 'P':
        buf_printf(r->out, "\\%c{", escape->letter);
        if (!regex_property_add(r->out, escape->name))
            return complain(r, escape->at, "unknown Unicode property");
        buf_add_char(r->out, '}');
        return true;
    default:
        buf_printf(r->out, "\\%c", escape->letter);
        return true;
    }
}

static bool put_reference(struct rewriter *r, const struct ecma_escape *escape)
{
    unsigned number = escape->kind == ECMA_NAMED_REFERENCE
                          ? ecma_scan_group(r->scan.text, escape->name)
                          : escape->code;

    if (number == 0 || number > ecma_scan_groups(r->scan.text))
        return complain(r, escape->at, "reference to a group that is not there");
    /*
     * The callout lets base/regex.c check the time. The group around it makes a repeated reference
     * to a group that has not matched succeed under PCRE2's JIT, too.
     */
    buf_printf(r->out, "(?:(?C)\\g{%u})", number);
    return true;
}

static bool rewrite_escape(struct rewriter *r)
{
    struct ecma_escape escape;

    if (!ecma_scan_escape(&r->scan, false, &escape, r->err))
        return false;
    r->repeatable = escape.kind != ECMA_BOUNDARY;
    switch (escape.kind) {
    case ECMA_CHARACTER:
        put_char(r, escape.code);
        return true;
    case ECMA_SET:
        return put_set(r, &escape, false);
    case ECMA_BOUNDARY:
        buf_printf(r->out, "\\%c", escape.letter);
        return true;
    default:
        return put_reference(r, &escape);
    }
}

/* One member of a class: a character, or a set. */
static bool class_atom(struct rewriter *r, struct ecma_escape *out)
{
    *out = (struct ecma_escape){ .kind = ECMA_CHARACTER, .at = r->scan.at };
    if (ecma_scan_peek(&r->scan, "\\"))
        return ecma_scan_escape(&r->scan, true, out, r->err);
    return ecma_scan_character(&r->scan, &out->code, r->err);
}

static bool put_atom(struct rewriter *r, const struct ecma_escape *atom)
{
    if (atom->kind == ECMA_SET)
        return put_set(r, atom, true);
    put_char(r, atom->code);
    return true;
}

/* A member, or with `-` and a second member a range. */
static bool class_range(struct rewriter *r)
{
    struct ecma_escape low;
    struct ecma_escape high;

    if (!class_atom(r, &low) || !put_atom(r, &low))
        return false;
    if (!ecma_scan_peek(&r->scan, "-") || ecma_scan_peek(&r->scan, "-]"))
        return true;
    r->scan.at++;
    if (!class_atom(r, &high))
        return false;
    if (low.kind == ECMA_SET || high.kind == ECMA_SET) {
        buf_add(r->out, STR("\\-"));
        return put_atom(r, &high);
    }
    if (low.code > high.code)
        return complain(r, low.at, "range out of order in a class");
    buf_add_char(r->out, '-');
    return put_atom(r, &high);
}

static bool rewrite_class(struct rewriter *r)
{
    size_t start = r->scan.at;

    r->repeatable = true;
    if (ecma_scan_accept(&r->scan, "[]")) {
        /* PCRE2's own [] fails even with the quantifier {0}. */
        buf_add(r->out, STR("[^\\x{0}-\\x{10ffff}]"));
        return true;
    }
    r->scan.at++;
    buf_add_char(r->out, '[');
    if (ecma_scan_accept(&r->scan, "^"))
        buf_add_char(r->out, '^');
    while (!ecma_scan_accept(&r->scan, "]")) {
        if (ecma_scan_ended(&r->scan))
            return complain(r, start, "class without its ']'");
        if (!class_range(r))
            return false;
    }
    buf_add_char(r->out, ']');
    return true;
}

static bool open_named(struct rewriter *r, size_t start)
{
    struct str name;

    if (!ecma_scan_name(&r->scan, &name))
        return complain(r, start, "group with a bad name");
    if (ecma_scan_group(ecma_scan_before(&r->scan, start), name) != 0)
        return complain(r, start, "two groups of one name");
    buf_add_char(r->out, '(');
    return true;
}

static bool open_group(struct rewriter *r)
{
    size_t start = r->scan.at;

    if (++r->depth > MAX_DEPTH)
        return complain(r, start, "groups nested too deeply");
    r->repeatable = false;

    const char *look = ecma_scan_look(&r->scan);

    r->lookaround[r->depth] = look != NULL;
    if (look) {
        buf_add(r->out, str_from_c(look));
        return true;
    }
    if (ecma_scan_accept(&r->scan, "(?<"))
        return open_named(r, start);
    if (ecma_scan_accept(&r->scan, "(?:")) {
        buf_add(r->out, STR("(?:"));
        return true;
    }
    if (ecma_scan_peek(&r->scan, "(?"))
        return complain(r, start, "unknown kind of group");
    r->scan.at++;
    buf_add_char(r->out, '(');
    return true;
}

static bool close_group(struct rewriter *r)
{
    if (r->depth == 0)
        return complain(r, r->scan.at, "')' without its '('");
    r->repeatable = !r->lookaround[r->depth--];
    r->scan.at++;
    buf_add_char(r->out, ')');
    return true;
}

/* `*`, `+`, `?` or a count, with the `?` that makes it lazy. */
static bool rewrite_quantifier(struct rewriter *r, size_t length)
{
    size_t start = r->scan.at;

    if (!r->repeatable)
        return complain(r, start, "nothing to repeat");
    r->scan.at += length;
    buf_add(r->out, ecma_scan_since(&r->scan, start));
    if (ecma_scan_accept(&r->scan, "?"))
        buf_add_char(r->out, '?');
    r->repeatable = false;
    return true;
}

static bool rewrite_brace(struct rewriter *r)
{
    struct ecma_count count = ecma_scan_count(&r->scan);

    if (count.length == 0) {
        r->scan.at++;
        put_char(r, '{');
        r->repeatable = true;
        return true;
    }
    if (count.reversed)
        return complain(r, r->scan.at, "numbers out of order in a count");
    return rewrite_quantifier(r, count.length);
}

static bool rewrite_literal(struct rewriter *r)
{
    uint32_t code;

    if (!ecma_scan_character(&r->scan, &code, r->err))
        return false;
    put_char(r, code);
    r->repeatable = true;
    return true;
}

/* A character with the same meaning in both dialects that cannot be repeated. */
static bool rewrite_mark(struct rewriter *r)
{
    buf_add_char(r->out, r->scan.text.ptr[r->scan.at++]);
    r->repeatable = false;
    return true;
}

static bool rewrite_dot(struct rewriter *r)
{
    r->scan.at++;
    buf_add(r->out, STR("[^\\x{a}\\x{d}\\x{2028}\\x{2029}]"));
    r->repeatable = true;
    return true;
}

static bool rewrite_next(struct rewriter *r)
{
    switch (r->scan.text.ptr[r->scan.at]) {
    case '^':
    case '$':
    case '|':
        return rewrite_mark(r);
    case '.':
        return rewrite_dot(r);
    case '(':
        return open_group(r);
    case ')':
        return close_group(r);
    case '[':
        return rewrite_class(r);
    case '\\':
        return rewrite_escape(r);
    case '{':
        return rewrite_brace(r);
    case '*':
    case '+':
    case '?':
        return rewrite_quantifier(r, 1);
    default:
        return rewrite_literal(r);
    }
}

static bool rewrite(struct rewriter *r)
{
    while (!ecma_scan_ended(&r->scan) && r->out->len < r->stop_at) {
        if (!rewrite_next(r))
            return false;
        if (r->out->overflow)
            return complain(r, r->scan.at, "pattern too long");
    }
    return true;
}

bool regex_ecma_rewrite(struct str pattern, struct buf *out, struct error *err)
{
    struct rewriter r = { .scan = { .text = pattern }, .out = out, .err = err };

    r.stop_at = SIZE_MAX;
    if (!rewrite(&r))
        return false;
    return r.depth == 0 || complain(&r, pattern.len, "missing ')'");
}

size_t regex_ecma_origin(struct str pattern, size_t offset)
{
    struct error ignored;
    struct buf out;
    struct rewriter r = { .scan = { .text = pattern }, .out = &out, .err = &ignored };

    buf_init(&out, SIZE_MAX);
    r.stop_at = offset;
    /* The pattern was rewritten before, so this cannot fail. */
    (void)rewrite(&r);
    buf_done(&out);
    return r.scan.at;
}
