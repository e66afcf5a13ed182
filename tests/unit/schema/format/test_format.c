/*
 * test_format.c - what each format takes and what it does not. Rows of one format share a table:
 * the texts it takes, then those it refuses.
 */
#include "schema/format/format.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void check_rows(const char *name, const char *const *texts, bool valid)
{
    const struct format *format = format_find(str_from_c(name));

    TEST_CASE(name);
    CHECK(format != NULL);
    for (; format && *texts; texts++) {
        TEST_CASE(*texts);
        CHECK(format_check(format, str_from_c(*texts)) == valid);
    }
}

#define TAKES(name, ...)   check_rows(name, (const char *const[]){ __VA_ARGS__, NULL }, true)
#define REFUSES(name, ...) check_rows(name, (const char *const[]){ __VA_ARGS__, NULL }, false)

static void knows_every_format_by_its_exact_name(void)
{
    static const char *const names[] = {
        "date",
        "date-time",
        "duration",
        "email",
        "hostname",
        "idn-email",
        "idn-hostname",
        "ipv4",
        "ipv6",
        "iri",
        "regex",
        "json-pointer",
        "time",
        "uri-template",
        "iri-reference",
        "uri",
        "uuid",
        "uri-reference",
        "relative-json-pointer",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        TEST_CASE(names[i]);
        CHECK(format_find(str_from_c(names[i])) != NULL);
    }
    CHECK(format_find(STR("Date")) == NULL);
    CHECK(format_find(STR("dat")) == NULL);
    CHECK(format_find(STR("color")) == NULL);
    CHECK(format_find(STR("")) == NULL);
}

static void dates_are_those_of_the_calendar(void)
{
    TAKES("date", "1963-06-19", "2020-01-31", "2020-02-29", "2000-02-29", "0400-02-29",
          "0000-01-01", "9999-12-31", "2021-04-30", "1582-10-10");
    REFUSES("date", "", "2021-02-29", "1900-02-29", "2100-02-29", "2020-02-30", "2020-04-31",
            "2020-01-32", "2020-01-00", "2020-00-01", "2020-13-01", "1998-1-20", "1998-01-1",
            "06/19/1963", "2013-350", "20230328", "2023-W01", "1963-06-1\xE0\xA7\xAA",
            " 2020-01-01", "2020-01-01 ", "2020-01-01Z", "2020-01-01\n", "+2020-01-01",
            "12020-01-01", "20-01-01", "2020-01-0:", "2020/01/01", "2020--01-01");
}

static void times_have_an_offset_and_leap_seconds_only_at_midnight_utc(void)
{
    TAKES("time", "08:30:06Z", "08:30:06z", "23:59:60Z", "23:59:60+00:00", "01:29:60+01:30",
          "23:29:60+23:30", "15:59:60-08:00", "00:29:60-23:30", "23:20:50.52Z", "08:30:06.283185Z",
          "12:34:56-00:00", "00:59:59.999999999999999Z");
    REFUSES("time", "", "008:030:006Z", "8:3:6Z", "22:59:60Z", "23:58:60Z", "23:59:60+01:00",
            "23:59:60-00:30", "24:00:00Z", "00:60:00Z", "00:00:61Z", "01:02:03+24:00",
            "01:02:03+00:60", "01:02:03Z+00:30", "08:30:06 PST", "01:01:01,1111", "12:00:00",
            "12:00:00.52", "12:00:00.Z", "1\xE0\xA7\xA8:00:00Z", "08:30:06#00:20", "08:30:06+0020",
            "08:30:06+00", "08:30:06Z\n", "08:30Z");
}

static void date_times_join_the_two(void)
{
    TAKES("date-time", "1963-06-19T08:30:06.283185Z", "1963-06-19t08:30:06z",
          "1990-12-31T15:59:50.123-08:00", "1998-12-31T23:59:60Z", "1998-12-31T15:59:60.123-08:00");
    REFUSES("date-time", "", "1998-12-31T23:59:61Z", "1998-12-31T23:58:60Z",
            "1990-02-31T15:59:59-08:00", "1990-12-31T15:59:59-24:00", "1963-06-19 08:30:06Z",
            "06/19/1963 08:30:06 PST", "2013-350T01:01:01", "1963-06-19T08:30:06",
            "1963-06-19T08:30:06.28123+01:00Z", "1963-06-1\xE0\xA7\xAAT00:00:00Z",
            "1963-06-11T0\xE0\xA7\xAA:00:00Z", "1985-04-12T23:20:50+01", "1985-04-12T23:20:50Z\n",
            "+11963-06-19T08:30:06Z", "1963-06-19TT08:30:06Z");
}

static void durations_leave_no_unit_out(void)
{
    TAKES("duration", "P4DT12H30M5S", "P4Y", "PT0S", "P0D", "P1M", "PT1M", "PT36H", "P1DT12H",
          "P2W", "P1Y2M3DT4H5M6S", "P1Y2M", "P1M2D", "PT1M2S", "P01D");
    REFUSES("duration", "", "P", "PT", "PT1D", "P1YT", "P2D1Y", "P1D2H", "P2S", "P1Y2W", "P1WT1H",
            "P1", "4DT12H", "P1Y2D", "PT1H2S", "PT0.5S", "-P1D", "P-1D", "P1D\n", " P1D",
            "P\xE0\xA7\xA8Y", "p1d", "P1DT", "P1D1D", "P1W2W", "PW");
}

static void ipv4_has_four_plain_octets(void)
{
    TAKES("ipv4", "192.168.0.1", "0.0.0.0", "255.255.255.255", "87.10.0.1");
    REFUSES("ipv4", "", "127.0.0.0.1", "256.256.256.256", "127.0", "0x7f000001", "2130706433",
            "087.10.0.1", "1\u09e87.0.0.1", "192.168.1.0/24", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n",
            "1.2..4", ".1.2.3.4", "1.2.3.4.", "+1.2.3.4", "1.2.3.1000", "...");
}

static void ipv6_has_eight_groups_or_a_gap(void)
{
    TAKES("ipv6", "::1", "::", "::abef", "1::", "1:2:3:4:5:6:7:8", "::42:ff:1", "d6::", "1:d6::42",
          "1::d6:192.168.0.1", "1:2::192.168.0.1", "::ffff:192.168.0.1",
          "1000:1000:1000:1000:1000:1000:255.255.255.255", "::2:3:4:5:6:7:8",
          "1:2:3:4:5:6:7::", "ABCD:EF01::");
    REFUSES("ipv6", "", ":", ":::", "12345::", "::abcef", "1:1:1:1:1:1:1:1:1:1", "::laptop",
            ":2:3:4:5:6:7:8", "1:2:3:4:5:6:7:", "1:2:3:4::5:6:7:8", "1::d6::42",
            "1::2:192.168.256.1", "1::2:192.168.ff.1", "::ffff:192.168.0.01", "1:2:3:4:5:6:7",
            "1:2:3:4:1.2.3.4", "1.2.3.4::", "1.2.3.4", "1:2:::3", "fe80::a%eth1", "fe80::/64",
            "[::1]", "  ::1", "::1  ", "::1\n", "1:\xE0\xA7\xAA:1:1:1:1:1:1",
            "1:2:3:4:5:6:7:1.2.3.4", "1:2::1.2.3.4:5");
}

static void mail_addresses_follow_smtp(void)
{
    TAKES("email", "joe.bloggs@example.com", "te~st@example.com", "~test@example.com",
          "\"joe bloggs\"@example.com", "\"joe..bloggs\"@example.com", "\"joe@bloggs\"@example.com",
          "\"a\\\"b\\\\\"@example.com", "joe@[127.0.0.1]", "joe@[IPv6:::1]", "joe@[x-tag:content]",
          "te.s.t@example.com", "a@b", "riedgar+x@a-b.c", "\"\"@example.com");
    REFUSES("email", "", "2962", "@", "@example.com", "joe@", ".test@example.com",
            "test.@example.com", "te..st@example.com", "joe@invalid=domain.com",
            "joe@[127.0.0.300]", "joe@[IPv6:1]", "joe@[127.0.0.1", "joe@[]", "joe@[tag:]",
            "joe@[-:x]", "joe@[tag-:x]", "joe bloggs@example.com", "joe@example.com.",
            "joe@.example.com", "joe@-a.com", "joe@a-.com", "joe@a..b", "a@b@c",
            "\"joe@example.com", "\"joe\"x@example.com", "\"a\nb\"@example.com", "a@b, c@d",
            "\xC3\xA9@example.com", "a@\xC3\xA9.com", "a@b\n", "a@b c",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com");
    TAKES("idn-email", "\xEC\x8B\xA4\xEB\xA1\x80@\xEC\x8B\xA4\xEB\xA1\x80.\xED\x85\x8C",
          "joe.bloggs@example.com", "\"\xCE\xB4\"@example.com", "user@cafe\xCC\x81.com",
          "\xC2\x85@example.com",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com");
    REFUSES("idn-email", "", "2962", "user\uff20example.com", "\xC3\xA9@", "@\xC3\xA9");
}

#define LABEL_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define LABEL_61 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"
#define SEVEN    "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"

static const char label_of_63[] = LABEL_63;
static const char label_of_64[] = LABEL_63 "l";
static const char name_of_253[] = LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61;
static const char name_of_254[] = LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61 "j";
static const char too_long_in_punycode[] = SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN;

static void host_names_have_letters_digits_and_hyphens(void)
{
    TAKES("hostname", "www.example.com", "xn--4gbwdl.xn--wgbh1c", "a", "1host", "h0stn4me",
          "host-name", "a--b.com", "aa--b.com", "A.B", "XN--4GBWDL.xn--WGBH1C", label_of_63,
          name_of_253, "xn--ngba5hb2804a", "xn--zca29lwxobi7a");
    REFUSES("hostname", "", ".", ".example", "example.", "a..b", "-host", "host-", "_host",
            "host_name", "not_a_valid_host_name", label_of_64, name_of_254, "example.com\n",
            " example.com", "\u212aelvin.example.com", "example\uff0ecom", "xn--X", "xn--",
            "xn--example-", "xn--07jt112bpxg", "xn--hello-txk", "xn--vek", "xn--ngb6iyr",
            "xn--02b508i", "XN--aa---o47jg78q", "xn---9uc", "xn--0ca24w",
            "0a.xn--4dbcagdahymbxekheh6e0a7fei0b");
}

static void international_host_names_follow_idna_2008(void)
{
    TAKES("idn-hostname", "\xEC\x8B\xA4\xEB\xA1\x80.\xED\x85\x8C\xEC\x8A\xA4\xED\x8A\xB8",
          "xn--ihqwcrb4cv8a8dqg056pqjye", "\u00df\u03c2\u0f0b\u3007", "l\u00b7l",
          "\u03b1\u0375\u03b2", "\u05d0\u05f3\u05d1", "\u30fb\u3041", "\u0628\u0660\u0628",
          "\u06f00", "\u0915\u094d\u200d\u0937", "\u0628\u064a\u200c\u0628\u064a", "hostname",
          "a\u3002b", "a\uff0eb", "a\uff61b", "Example.COM", "a.\u05d0", label_of_63);
    REFUSES("idn-hostname", "", ".", "\u3002", "\uff0e", "\uff61", ".a", "a.", "a\u3002", "\uff61a",
            "a..b", "\u302e\uc2e4", "-> $1.00 <--", "xn-- ", "xn--a b", "xn--a_b.com", "xn--X",
            "xn--7a", "xn--example-", "-hello", "hello-", "-\u00e9", "\u00e9-", "ab--c",
            "\u00e9b--c", "\u0903hello", "\u0300hello", "\u0488hello", "\u0640\u07fa", "a\u00b7l",
            "\u00b7l", "l\u00b7", "\u03b1\u0375S", "\u05f3\u05d1", "\u30fb", "def\u30fbabc",
            "\u0628\u0660\u06f0", "\u0915\u200d\u0937", "0a.\u05d0", "0\u0627", "a\u05d0",
            "\u05d00\u0660", "cafe\u0301", "\u00c9", "\u00fc_b", "a_b", label_of_64,
            too_long_in_punycode);
}

static void uris_follow_their_grammar(void)
{
    TAKES("uri", "http://foo.bar/?baz=qux#quux", "http://foo.com/blah_(wikipedia)_blah#cite-1",
          "http://foo.bar/?q=Test%20URL-encoded%20stuff", "http://xn--nw2a.xn--j6w193g/",
          "http://-.~_!$&'()*+,;=:%40:80%2f::::::@example.com", "http://223.255.255.254",
          "ftp://ftp.is.co.za/rfc/rfc1808.txt", "ldap://[2001:db8::7]/c=GB?objectClass?one",
          "mailto:John.Doe@example.com", "news:comp.infosystems", "tel:+1-816-555-1212",
          "urn:oasis:names:specification:docbook:dtd:xml:4.1.2", "http://a", "http://[v1.fe:x]:80",
          "http://a:/", "file:///etc/hosts", "file:/etc/hosts", "a:", "x+y-z.1:b", "http://087.1/",
          "http://999.999.999.999/", "http://@a", "a:b:c", "http://[::ffff:1.2.3.4]");
    REFUSES("uri", "", "//foo.bar/?baz=qux#quux", "/abc", "\\\\WINDOWS\\fileshare", "abc",
            "http:// shouldfail.com", ":// should fail", "bar,baz:foo", "http://[@example.org/",
            "https://example.org/foobar\xC2\xAE.txt", "http://a\\b", "http://a/\"", "http://a/<>",
            "http://a/{}", "http://a/^", "http://a/`", "http://a/ b", "http://a/|", "http://a/%6G",
            "http://a/%A", "http://a/%", "1http://a", "ht_tp://a", "http://a:abc/",
            "http://[::ffff:01.2.3.4]", "http:/[::1]", "http://[::1", "http://::1", "http://[::1]x",
            "http://[v.x]", "http://[v1.]", "http://[v1.%41]", "http://a#b#c", "http://a@b@c",
            "http://a\n", "http://[]");
    TAKES("uri-reference", "", "//foo.bar/?baz=qux#quux", "/abc", "abc", "#fragment", "?query=1",
          "//", "./this:that", "http://a", "a/b:c", "../x", "%41", "#?/:@", "?a/b?c");
    REFUSES("uri-reference", "\\\\WINDOWS\\fileshare", "#frag\\ment", "1:b", ":b", "/%zz", "/a\"b",
            "/[::1]", "//example.com:abc/p", "//a@b@example.com/", "//[::ffff:192.168.0.01]/p",
            "/\xC2\xAE");
}

static void iris_add_characters(void)
{
    TAKES("iri", "http://\u0192\u00f8\u00f8.\u00df\u00e5r/?\u2202\u00e9\u0153=\u03c0#\u03c0\u00ee",
          "http://[2001:0db8:85a3::8a2e:0370:7334]", "http://[V1.fe]", "urn:example:resource",
          "http://a/\U00010300", "http://a/?q=\U000F0000", "http://a/?\uE000", "http://\u00e9@a");
    REFUSES("iri", "", "/abc", "\u00e2\u03c0", "\\\\WINDOWS", "http://2001:0db8::7334",
            "http://a/\U000F0000", "http://a/#\uE000", "http://a/\uFFFF", "http://a/\U0001FFFE",
            "http://a/\xC2\x85", "http://[::\u00e9]", "h\u00e9://a", "http://a:\u00e9",
            "http://[v1.\u00e9]", "http://a/\U000E0001");
    TAKES("iri-reference", "", "//\u0192/?\u2202", "/\u00e2\u03c0", "\u00e2\u03c0",
          "#\u0192r\u00e4gment");
    REFUSES("iri-reference", "\\\\WINDOWS\\f\u00eel\u00eb", "#\u0192r\u00e4g\\m\u00eant",
            "\u00e9:b:\\", "\u00e9:b");
}

static void templates_follow_their_grammar(void)
{
    TAKES("uri-template", "", "http://example.com/dictionary/{term:1}/{term}", "dictionary/{a}",
          "{+var}", "{#var}", "{.var}", "{/var}", "{;var}", "{?var}", "{&var}", "{var*}", "{x,y}",
          "{a.b}", "{%41}", "{v:1000}", "{v:9999}", "a%41b", "a'b", "a\U0001F600b", "{a*,b:3,c}",
          "{_x}", "[a]");
    REFUSES("uri-template", "http://example.com/{term", "{}", "{a,,b}", "{v:0}", "{v:10000}",
            "{v:01}", "{v:}", "foo}bar", "{a..b}", "{.}", "{a.}", "a b", "a\x7Fz", "{a,}",
            "{var=def}", "{,+var}", "{a b}", "{a-b}", "%4", "a<b", "a\"b", "a\\b", "a^b", "a`b",
            "a|b", "{a*:3}", "{\u00e9}", "{{a}}", "a\nb");
}

static void the_small_ones(void)
{
    TAKES("uuid", "2EB8AA08-AA98-11EA-B4AA-73B441D16380", "2eb8aa08-aa98-11ea-b4aa-73b441d16380",
          "00000000-0000-0000-0000-000000000000", "2eb8aa08-aa98-11ea-f4aa-73b441d16380");
    REFUSES("uuid", "", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08aa9811eab4aa73b441d16380",
            "2eb8-aa08-aa98-11ea-b4aa73b44-1d16380", "{2eb8aa08-aa98-11ea-b4aa-73b441d16380}",
            "2eb8aa08-aa98-11ea-b4ga-73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d16380\n",
            "2eb8aa08-aa98-11ea-b4aa-73b441d16380-");
    TAKES("json-pointer", "", "/", "//", "/foo/bar~0/baz~1/%a", "/foo//bar", "/a b", "/\"",
          "/\U0001F60E", "/foo\n");
    REFUSES("json-pointer", "a", "0", "#", "#/", "#a", "/foo/bar~", "/~", "/~2", "/~0~", "a/a");
    TAKES("relative-json-pointer", "1", "0/foo/bar", "2/0/baz/1/zip", "0#", "120/foo", "100", "0//",
          "0-1", "1+2/x", "0-1#");
    REFUSES("relative-json-pointer", "", "/foo/bar", "-1/foo", "+1/foo", "0##", "01/a", "01#",
            "\xD9\xA1/foo", "0/~2", "1#/foo", "1\n", "0+", "0+01", "0a", "##");
    TAKES("regex", "([abc])+\\s+$", "", "(?<name>x)", "(?<n>a)\\k<n>", "(?<=a+)b", "[]", "[^]",
          "\\cA", "^\\p{Letter}+$");
    REFUSES("regex", "^(abc]", "\\a", "(?P<name>x)", "(?#c)a", "(?i)abc", "a\\Z", "a++", "(?>a)");
}

static void nul_is_not_the_end(void)
{
    static const struct {
        const char *format;
        struct str text;
        bool valid;
    } cases[] = {
        { "date", STR_INIT("2020-01-01\0"), false },
        { "ipv4", STR_INIT("192.168.0.1\0.evil.com"), false },
        { "hostname", STR_INIT("a\0b"), false },
        { "idn-hostname", STR_INIT("\u00e9\0b"), false },
        { "email", STR_INIT("a\0@b"), false },
        { "uri", STR_INIT("http://a/\0"), false },
        { "uri-template", STR_INIT("\0"), false },
        { "duration", STR_INIT("P1\0"), false },
        { "json-pointer", STR_INIT("/foo\0bar"), true },
        { "json-pointer", STR_INIT("/~\0"), false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].format);
        CHECK(format_check(format_find(str_from_c(cases[i].format)), cases[i].text) ==
              cases[i].valid);
    }
}

int main(void)
{
    RUN(knows_every_format_by_its_exact_name);
    RUN(dates_are_those_of_the_calendar);
    RUN(times_have_an_offset_and_leap_seconds_only_at_midnight_utc);
    RUN(date_times_join_the_two);
    RUN(durations_leave_no_unit_out);
    RUN(ipv4_has_four_plain_octets);
    RUN(ipv6_has_eight_groups_or_a_gap);
    RUN(mail_addresses_follow_smtp);
    RUN(host_names_have_letters_digits_and_hyphens);
    RUN(international_host_names_follow_idna_2008);
    RUN(uris_follow_their_grammar);
    RUN(iris_add_characters);
    RUN(templates_follow_their_grammar);
    RUN(the_small_ones);
    RUN(nul_is_not_the_end);
    return test_end();
}
