/*
 * regex_property.c - the Unicode properties that ECMA-262 has, as PCRE2 spells them.
 *
 * ECMA-262 takes names exactly as Unicode writes them, long or short. PCRE2 takes general
 * categories by their short names only, and much that ECMA does not have. So the names are listed
 * here: those of Unicode's PropertyValueAliases.txt for categories, those of ECMA-262's table of
 * binary properties for the rest.
 */
#include "base/chars.h"
#include "base/regex_ecma_internal.h"

struct category {
    const char *code; /* PCRE2's name */
    const char *name;
    const char *alias; /* a third name, or NULL */
};

static const struct category categories[] = {
    { "C", "Other", NULL },
    { "Cc", "Control", "cntrl" },
    { "Cf", "Format", NULL },
    { "Cn", "Unassigned", NULL },
    { "Co", "Private_Use", NULL },
    { "Cs", "Surrogate", NULL },
    { "L", "Letter", NULL },
    { "L&", "Cased_Letter", "LC" },
    { "Ll", "Lowercase_Letter", NULL },
    { "Lm", "Modifier_Letter", NULL },
    { "Lo", "Other_Letter", NULL },
    { "Lt", "Titlecase_Letter", NULL },
    { "Lu", "Uppercase_Letter", NULL },
    { "M", "Mark", "Combining_Mark" },
    { "Mc", "Spacing_Mark", NULL },
    { "Me", "Enclosing_Mark", NULL },
    { "Mn", "Nonspacing_Mark", NULL },
    { "N", "Number", NULL },
    { "Nd", "Decimal_Number", "digit" },
    { "Nl", "Letter_Number", NULL },
    { "No", "Other_Number", NULL },
    { "P", "Punctuation", "punct" },
    { "Pc", "Connector_Punctuation", NULL },
    { "Pd", "Dash_Punctuation", NULL },
    { "Pe", "Close_Punctuation", NULL },
    { "Pf", "Final_Punctuation", NULL },
    { "Pi", "Initial_Punctuation", NULL },
    { "Po", "Other_Punctuation", NULL },
    { "Ps", "Open_Punctuation", NULL },
    { "S", "Symbol", NULL },
    { "Sc", "Currency_Symbol", NULL },
    { "Sk", "Modifier_Symbol", NULL },
    { "Sm", "Math_Symbol", NULL },
    { "So", "Other_Symbol", NULL },
    { "Z", "Separator", NULL },
    { "Zl", "Line_Separator", NULL },
    { "Zp", "Paragraph_Separator", NULL },
    { "Zs", "Space_Separator", NULL },
};

/*
 * Long name, short name; PCRE2 knows both. It has no "Assigned", which add_binary() handles, and no
 * "Changes_When_NFKC_Casefolded", which is refused.
 */
static const char *const binaries[][2] = {
    { "Any", "Any" },
    { "ASCII", "ASCII" },
    { "ASCII_Hex_Digit", "AHex" },
    { "Alphabetic", "Alpha" },
    { "Bidi_Control", "Bidi_C" },
    { "Bidi_Mirrored", "Bidi_M" },
    { "Case_Ignorable", "CI" },
    { "Cased", "Cased" },
    { "Changes_When_Casefolded", "CWCF" },
    { "Changes_When_Casemapped", "CWCM" },
    { "Changes_When_Lowercased", "CWL" },
    { "Changes_When_Titlecased", "CWT" },
    { "Changes_When_Uppercased", "CWU" },
    { "Dash", "Dash" },
    { "Default_Ignorable_Code_Point", "DI" },
    { "Deprecated", "Dep" },
    { "Diacritic", "Dia" },
    { "Emoji", "Emoji" },
    { "Emoji_Component", "EComp" },
    { "Emoji_Modifier", "EMod" },
    { "Emoji_Modifier_Base", "EBase" },
    { "Emoji_Presentation", "EPres" },
    { "Extended_Pictographic", "ExtPict" },
    { "Extender", "Ext" },
    { "Grapheme_Base", "Gr_Base" },
    { "Grapheme_Extend", "Gr_Ext" },
    { "Hex_Digit", "Hex" },
    { "IDS_Binary_Operator", "IDSB" },
    { "IDS_Trinary_Operator", "IDST" },
    { "ID_Continue", "IDC" },
    { "ID_Start", "IDS" },
    { "Ideographic", "Ideo" },
    { "Join_Control", "Join_C" },
    { "Logical_Order_Exception", "LOE" },
    { "Lowercase", "Lower" },
    { "Math", "Math" },
    { "Noncharacter_Code_Point", "NChar" },
    { "Pattern_Syntax", "Pat_Syn" },
    { "Pattern_White_Space", "Pat_WS" },
    { "Quotation_Mark", "QMark" },
    { "Radical", "Radical" },
    { "Regional_Indicator", "RI" },
    { "Sentence_Terminal", "STerm" },
    { "Soft_Dotted", "SD" },
    { "Terminal_Punctuation", "Term" },
    { "Unified_Ideograph", "UIdeo" },
    { "Uppercase", "Upper" },
    { "Variation_Selector", "VS" },
    { "White_Space", "space" },
    { "XID_Continue", "XIDC" },
    { "XID_Start", "XIDS" },
};

static bool is(struct str text, const char *name)
{
    return name && str_equal(text, str_from_c(name));
}

static bool add_category(struct buf *out, struct str value)
{
    for (size_t i = 0; i < COUNT_OF(categories); i++) {
        const struct category *category = &categories[i];

        /* "L&" is PCRE2's own name; ECMA has only the other two. */
        if ((is(value, category->code) && !is(value, "L&")) || is(value, category->name) ||
            is(value, category->alias)) {
            buf_add(out, str_from_c(category->code));
            return true;
        }
    }
    return false;
}

static bool add_binary(struct buf *out, struct str name)
{
    if (is(name, "Assigned")) {
        buf_add(out, STR("^Cn"));
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(binaries); i++) {
        if (is(name, binaries[i][0]) || is(name, binaries[i][1])) {
            buf_add(out, str_from_c(binaries[i][0]));
            return true;
        }
    }
    return false;
}

/* "Greek", "Old_Italic", "SignWriting", "Hmnp". PCRE2 would ignore case, spaces and hyphens. */
static bool add_script(struct buf *out, const char *kind, struct str name)
{
    bool start = true;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (start ? !char_is_upper(c) : !char_is_alpha(c) && c != '_')
            return false;
        start = c == '_';
    }
    if (start)
        return false;
    buf_add(out, str_from_c(kind));
    buf_add(out, name);
    return true;
}

bool regex_property_add(struct buf *out, struct str text)
{
    struct str value = text;
    struct str name = take_until(&value, '=');

    if (name.len == text.len)
        return add_category(out, text) || add_binary(out, text);
    if (is(name, "General_Category") || is(name, "gc"))
        return add_category(out, value);
    if (is(name, "Script") || is(name, "sc"))
        return add_script(out, "sc:", value);
    if (is(name, "Script_Extensions") || is(name, "scx"))
        return add_script(out, "scx:", value);
    return false;
}
