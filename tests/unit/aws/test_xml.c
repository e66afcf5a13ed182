/*
 * test_xml.c - claims about aws/xml.h.
 */
#include "aws/xml.h"

#include <string.h>

#include "tests/unit/test.h"

static const struct text {
    const char *name;
    const char *document;
    const char *text; /* of the element "Code"; NULL: none */
} texts[] = {
    { "an error of S3",
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code></Error>",
      "NoSuchBucket" },
    { "an error of SNS",
      "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>"
      "<Code>AuthorizationError</Code></Error></ErrorResponse>",
      "AuthorizationError" },
    { "the first of several", "<a><Code>1</Code><Code>2</Code></a>", "1" },
    { "white space around it", "<Code>\n\t 1 2 \r\n</Code>", "1 2" },
    { "attributes", "<Code a='>' b=\"<Code>\">1</Code >", "1" },
    { "empty", "<Code></Code>", "" },
    { "an empty tag", "<Code/>", "" },
    { "an empty tag with attributes", "<Code a=\"/\" />", "" },
    { "entities", "<Code>&lt;&amp;&gt;&quot;&apos;</Code>", "<&>\"'" },
    { "references", "<Code>&#65;&#x42;&#XE4;&#x1F600;</Code>", "AB\xC3\xA4\xF0\x9F\x98\x80" },
    { "text around references", "<Code>a&amp;b</Code>", "a&b" },
    { "a longer name is another element", "<CodeX>1</CodeX>", NULL },
    { "names are case-sensitive", "<code>1</code>", NULL },
    { "children", "<Code><a/></Code>", NULL },
    { "no end tag", "<Code>1", NULL },
    { "half an end tag", "<Code>1</Code", NULL },
    { "an end tag alone", "</Code>", NULL },
    { "no end of the quoted value", "<Code a=\">1</Code>", NULL },
    { "an unknown entity", "<Code>&nbsp;</Code>", NULL },
    { "no end of the reference", "<Code>a&amp</Code>", NULL },
    { "an empty reference", "<Code>&;</Code>", NULL },
    { "no digits", "<Code>&#;</Code>", NULL },
    { "no hexadecimal digits", "<Code>&#x;</Code>", NULL },
    { "hexadecimal digits without x", "<Code>&#4A;</Code>", NULL },
    { "not a digit", "<Code>&#x4G;</Code>", NULL },
    { "NUL", "<Code>&#0;</Code>", NULL },
    { "a surrogate", "<Code>&#xD800;</Code>", NULL },
    { "above Unicode", "<Code>&#x110000;</Code>", NULL },
    { "a long reference", "<Code>&#x0000000041;</Code>", NULL },
    { "a DTD", "<!DOCTYPE a [<!ENTITY b \"c\">]><Code>1</Code>", NULL },
    { "CDATA", "<Code><![CDATA[1]]></Code>", NULL },
    { "a comment before it", "<!-- --><Code>1</Code>", NULL },
    { "HTML", "<html><body>503</body></html>", NULL },
    { "JSON", "{\"Code\":1}", NULL },
    { "nothing", "", NULL },
};

static void text_is_found_and_decoded(void)
{
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct str text = aws_xml_text(str_from_c(texts[i].document), "Code", arena);

        TEST_CASE(texts[i].name);
        CHECK((text.ptr != NULL) == (texts[i].text != NULL));
        if (texts[i].text)
            CHECK_STR(text, texts[i].text);
    }
    arena_destroy(arena);
}

static void elements_are_found_one_after_the_other(void)
{
    struct str rest =
        STR("<R><Failed><member><Id>1</Id></member><member><Id>2</Id></member></Failed>"
            "<Successful><member><Id>3</Id></member></Successful></R>");
    struct str failed;
    struct str member;

    CHECK(aws_xml_next(&rest, "Failed", &failed));
    CHECK(aws_xml_next(&failed, "member", &member));
    CHECK_STR(member, "<Id>1</Id>");
    CHECK(aws_xml_next(&failed, "member", &member));
    CHECK_STR(member, "<Id>2</Id>");
    CHECK(!aws_xml_next(&failed, "member", &member));
    CHECK(!aws_xml_next(&rest, "Failed", &failed));
    CHECK(aws_xml_next(&rest, "member", &member));
    CHECK_STR(member, "<Id>3</Id>");
}

static void elements_of_one_name_may_be_nested(void)
{
    struct str rest = STR("<a>1<a>2<a/></a>3</a><a>4</a>");
    struct str content;

    CHECK(aws_xml_next(&rest, "a", &content));
    CHECK_STR(content, "1<a>2<a/></a>3");
    CHECK(aws_xml_next(&rest, "a", &content));
    CHECK_STR(content, "4");
}

int main(void)
{
    RUN(text_is_found_and_decoded);
    RUN(elements_are_found_one_after_the_other);
    RUN(elements_of_one_name_may_be_nested);
    return test_end();
}
