/*
 * test_problems.c - what is wrong with a configuration, all of it, with line and key.
 */
#include "server/config/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/config/config_internal.h"
#include "tests/unit/load_config.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static const struct problem_case wrong[] = {
    { "http:\n  max_bodyy: 1\n", "2: http.max_bodyy: unknown key, is max_body meant?\n" },
    { "htp: {}\n", "1: htp: unknown key, is http meant?\n" },
    { "a.b: 1\n", "1: a.b: unknown key\n" },
    { "\"a\\nb\": 1\n", "1: a?b: unknown key\n" },
    { "a/~b: 1\n", "1: a/~b: unknown key\n" },
    { "z: 1\n'y': 2\nx: 3\n", "1: z: unknown key\n2: y: unknown key\n3: x: unknown key\n" },
    { "http:\n  threads: four\n", "2: http.threads: expected an integer, got a string\n" },
    { "http:\n  threads: 1.5\n", "2: http.threads: expected an integer, got a number\n" },
    { "http:\n  threads: -1\n", "2: http.threads: must be at least 0\n" },
    { "http:\n  threads: 1025\n", "2: http.threads: must be at most 1024\n" },
    { "http:\n  threads: null\n", "2: http.threads: expected an integer, got null\n" },
    { "http:\n", "1: http: expected an object, got null\n" },
    { "http: []\n", "1: http: expected an object, got a list\n" },
    { "[]\n", "1: expected an object, got a list\n" },
    { "just text\n", "1: expected an object, got a string\n" },
    { "auth: {open: 'true'}\n", "1: auth.open: expected true or false, got a string\n" },
    { "auth: {open: yes}\n", "1: auth.open: expected true or false, got a string\n" },
    { "http: {respond: records}\n", "1: http.respond: expected one of: record, receipt\n" },
    { "http: {max_body: 2MB}\n",
      "1: http.max_body: expected a size such as 512KiB (bytes, or a number with B, KiB, MiB "
      "or GiB)\n" },
    { "http: {max_body: true}\n",
      "1: http.max_body: expected a size such as 512KiB (bytes, or a number with B, KiB, MiB "
      "or GiB), got a boolean\n" },
    { "http: {max_body: 0}\n", "1: http.max_body: must be at least 1B\n" },
    { "http: {max_body: -1}\n", "1: http.max_body: must be at least 0\n" },
    { "http: {max_body: 2GiB, max_inflight_bytes: 2GiB}\n",
      "1: http.max_body: must be at most 1GiB\n" },
    { "http: {max_body: 99999999999GiB, max_inflight_bytes: 99999999999GiB}\n",
      "1: http.max_body: must be at most 1GiB\n"
      "1: http.max_inflight_bytes: must be at most 1024GiB\n" },
    { "http: {max_body: 3MiB, max_inflight_bytes: 2MiB}\n",
      "1: http.max_inflight_bytes: must be at least http.max_body\n" },
    { "http:\n  tls: {cert_file: /dev/null}\n",
      "2: http.tls: needs both files, cert_file and key_file, or none\n" },
    { "http:\n  tls: {key_file: /dev/null}\n",
      "2: http.tls: needs both files, cert_file and key_file, or none\n" },
    { "http:\n  tls: {cert_file: /nonexistent/c, key_file: /dev/null}\n",
      "2: http.tls.cert_file: /nonexistent/c: No such file or directory\n" },
    { "http:\n  trusted_proxies:\n    - 10.0.0.0/8\n    - 10.0.0.1/8\n",
      "4: http.trusted_proxies[1]: is no address and no block of addresses: 10.0.0.0/8 has no bits "
      "set behind the first 8\n" },
    { "http: {trusted_proxies: [10.0.0/8]}\n",
      "1: http.trusted_proxies[0]: is no address and no block of addresses: 10.0.0.0/8 has no bits "
      "set behind the first 8\n" },
    { "http: {deadline: 99999999999d}\n", "1: http.deadline: must be at most 1h\n" },
    { "http: {deadline: 4}\n",
      "1: http.deadline: expected a time such as 30s (a number with ms, s, m, h or d), got an "
      "integer\n" },
    { "http: {deadline: 4 s}\n",
      "1: http.deadline: expected a time such as 30s (a number with ms, s, m, h or d)\n" },
    { "http: {deadline: 0s}\n", "1: http.deadline: must be at least 1ms\n" },
    { "http: {deadline: 61m}\n", "1: http.deadline: must be at most 1h\n" },
    { "routes:\n  - payload: detail\n",
      "2: routes[0].payload: expected a JSON Pointer such as /detail\n" },
    { "routes:\n  - {}\n  - match: {/a~b: x}\n",
      "3: routes[1].match: expected keys, or JSON Pointers such as /Data/kind\n" },
    { "routes:\n  - match: {source: {a: b}}\n",
      "2: routes[0].match.source: expected a text, a number, true, false, or a list of these, got "
      "an object\n" },
    { "routes:\n  - match: {source: []}\n", "2: routes[0].match.source: must not be empty\n" },
    { "routes:\n  - match: {source: [a, null]}\n",
      "2: routes[0].match.source[1]: expected a string or a number or true or false, got null\n" },
    { "routes:\n  - pattern:\n      source: [a]\n      detail:\n        a/b: [x, {prefx: y}]\n",
      "5: routes[0].pattern.detail.a/b[1]: prefx is no operator\n" },
    { "routes:\n  - pattern:\n      source: []\n      detail:\n        a/b: [{prefx: y}, x,\n"
      "          {numeric: [1]}]\n      $or: [{a: 1}, {b: []}]\n",
      "3: routes[0].pattern.source: the list is empty\n"
      "5: routes[0].pattern.detail.a/b[0]: prefx is no operator\n"
      "6: routes[0].pattern.detail.a/b[2]: numeric takes one or two comparisons, as [\">\", 0, "
      "\"<\", 5]\n"
      "7: routes[0].pattern.$or[0].a: a field takes a list or an object\n"
      "7: routes[0].pattern.$or[1].b: the list is empty\n" },
    { "routes:\n  - pattern: {}\n", "2: routes[0].pattern: the object is empty\n" },
    { "routes:\n  - pattern: [a]\n",
      "2: routes[0].pattern: expected an event pattern, got a list\n" },
    { "routes:\n  - match: {source: a}\n    pattern: {source: [a]}\n",
      "3: routes[0].pattern: stands beside match: a route has one of the two\n" },
    { "routes:\n  - drop: true\n    transform: /nonexistent\n", "" },
    { "routes:\n  - transform: t\n    sinks: []\n    outputs: [{transform: /dev/null, sinks: "
      "[x]}]\n",
      "2: routes[0].transform: stands beside outputs: name it in each\n"
      "3: routes[0].sinks: stands beside outputs: name it in each\n"
      "4: routes[0].outputs[0].sinks[0]: there is no sink x\n" },
    { "routes:\n  - outputs:\n      - {transform: /dev/null, name: x}\n      - sinks: []\n",
      "3: routes[0].outputs[0].name: unknown key\n"
      "4: routes[0].outputs[1].transform: is missing\n" },
    { "routes:\n  - name: a b\n",
      "2: routes[0].name: expected a name of letters, digits, . _ and -\n" },
    { "routes:\n  - name: route-2\n    match: {source: a}\n  - match: {}\n",
      "4: routes[1].name: another route has this name already\n" },
    { "routes:\n  - sinks:\n      - nowhere\n",
      "3: routes[0].sinks[0]: there is no sink nowhere\n" },
    { "routes:\n  - schema: ''\n", "2: routes[0].schema: must not be empty\n" },
    { "routes:\n  - schema: ../x\n", "2: routes[0].schema: expected a name without /\n" },
    { "auth:\n  api_keys:\n    - header: x\n", "3: auth.api_keys[0].value_file: is missing\n" },
    { "auth:\n  api_keys:\n    - value_env: SLUICE_TEST_NONE\n",
      "3: auth.api_keys[0].value_env: env:SLUICE_TEST_NONE: it must be set, to text on one "
      "line\n" },
    { "auth:\n  basic:\n    - {user: a, password_file: /dev/null,\n       password_env: "
      "SLUICE_TEST_NONE}\n",
      "4: auth.basic[0].password_env: the secret has another place already: remove one\n"
      "4: auth.basic[0].password_env: env:SLUICE_TEST_NONE: it must be set, to text on one "
      "line\n" },
    { "auth: {api_keys: [{value_env: 'a b'}, {value_secret: /run/key}]}\n",
      "1: auth.api_keys[0].value_env: expected the name of a variable\n"
      "1: auth.api_keys[1].value_secret: expected the ARN of a secret of AWS Secrets Manager, with "
      "#KEY for a member of its JSON\n" },
    { "auth:\n  api_keys: [k]\n", "2: auth.api_keys[0]: expected an object, got a string\n" },
    { "auth:\n  api_keys:\n  - {header: 'a b', value_file: /dev/null}\n",
      "3: auth.api_keys[0].header: expected a header name\n" },
    { "auth:\n  basic: [{user: 'a:b', password_file: /dev/null}]\n",
      "2: auth.basic[0].user: expected a user name without a colon\n" },
    { "auth:\n  api_keys:\n    - value_file: /nonexistent/key\n",
      "3: auth.api_keys[0].value_file: /nonexistent/key: No such file or directory\n" },
    { "auth:\n  bearer: {audience: a}\n",
      "2: auth.bearer.issuer: must be set for bearer tokens to be taken\n" },
    { "auth:\n  bearer: {jwks_url: 'https://i/'}\n",
      "2: auth.bearer.issuer: must be set for bearer tokens to be taken\n" },
    { "auth:\n  bearer: {issuer: i, audience: a}\n",
      "2: auth.bearer: set either jwks_url or jwks_file: tokens are checked with these keys\n" },
    { "auth:\n  bearer: {issuer: i, audience: a, jwks_url: 'https://i/', jwks_file: /dev/null}\n",
      "2: auth.bearer: set either jwks_url or jwks_file: tokens are checked with these keys\n" },
    { "auth:\n  bearer:\n    issuer: i\n    audience: a\n    jwks_url: http://i/\n",
      "5: auth.bearer.jwks_url: must be https:// (plain http:// only to this machine itself)\n" },
    { "auth:\n  bearer: {issuer: i, audience: a, jwks_url: 'http://127.0.0.1@i/'}\n",
      "2: auth.bearer.jwks_url: must be https:// (plain http:// only to this machine itself)\n" },
    { "auth:\n  bearer: {issuer: i, audience: a, jwks_url: 'http://127.0.0.1:a@i/'}\n",
      "2: auth.bearer.jwks_url: must be https:// (plain http:// only to this machine itself)\n" },
    { "auth:\n  bearer: {issuer: i, audience: a, jwks_url: 'http://127.0.0.1.i/'}\n",
      "2: auth.bearer.jwks_url: must be https:// (plain http:// only to this machine itself)\n" },
    { "auth:\n  bearer: {issuer: i, audience: a, jwks_url: 'file:///keys'}\n",
      "2: auth.bearer.jwks_url: must be https:// (plain http:// only to this machine itself)\n" },
    { "auth:\n  bearer: {issuer: i, jwks_url: 'https://i/jwks'}\n",
      "2: auth.bearer: set audience, client_ids or scopes: without one, a token that the issuer "
      "made for anyone else would be accepted\n" },
    { "auth:\n  bearer: {issuer: i, jwks_url: 'https://i/jwks', client_ids: [c]}\n", "" },
    { "auth:\n  bearer: {issuer: i, jwks_url: 'https://i/jwks', scopes: [s]}\n", "" },
    { "auth:\n  bearer: {scopes: [s]}\n",
      "2: auth.bearer.issuer: must be set for bearer tokens to be taken\n" },
    { "auth:\n  open: true\n  bearer: {issuer: i, audience: a, jwks_url: 'https://i/jwks'}\n",
      "2: auth.open: lets anyone in, but a credential is configured as well: remove one of the "
      "two\n" },
    { "auth:\n  bearer: {issuer: i, audience: a, jwks_url: 'http://127.0.0.1:8080/jwks'}\n", "" },
    { "auth:\n  bearer: {issuer: i, audience: a, jwks_url: 'http://[::1]/jwks'}\n", "" },
    { "auth:\n  bearer: {issuer: i, audience: a, jwks_url: 'https://i/jwks'}\n", "" },
    { "auth:\n  bearer: {issuer: i, audience: a, jwks_file: /nonexistent/jwks}\n",
      "2: auth.bearer.jwks_file: /nonexistent/jwks: No such file or directory\n" },
    { "log: {level: 1}\n", "1: log.level: expected a string, got an integer\n" },
    { "http:\n  listen: ${SLUICE_TEST_NOT_SET}\n",
      "2: http.listen: environment variable SLUICE_TEST_NOT_SET is not set\n" },
    { "http:\n  x: 1\n  threads: a\nlog:\n  y: 2\n",
      "2: http.x: unknown key\n"
      "3: http.threads: expected an integer, got a string\n"
      "5: log.y: unknown key\n" },
    { "x: 1\nhttp:\n  max_body: 0\n  y: 1\n  listen: nowhere\n",
      "1: x: unknown key\n"
      "3: http.max_body: must be at least 1B\n"
      "4: http.y: unknown key\n"
      "5: http.listen: expected an address such as 127.0.0.1:8080 or [::1]:8080\n" },
};

static void problems_name_line_and_key(void)
{
    check_problem_cases(wrong, COUNT_OF(wrong));
}

static void pins_are_versions_of_glue(void)
{
    static const struct problem_case cases[] = {
        { "registry: {pin: {a/b: 3}}\n",
          "1: registry.pin: names versions of AWS Glue, but registry.kind is file\n" },
        { "registry: {kind: glue, pin: {a/b: 3}}\n", "" },
        { "registry: {guard: enforce}\n", "" },
        { "registry: {guard: off, guard_samples: 0}\nhttp: {respond: receipt}\n", "" },
    };

    check_problem_cases(cases, COUNT_OF(cases));
}

static void routes_can_be_reached(void)
{
    static const struct {
        const char *first; /* the globs for `source` of two routes */
        const char *second;
        bool reached;
    } globs[] = {
        { "*", "a", false },      { "*", "*", false },     { "a", "a", false },
        { "a*", "abc", false },   { "a*", "ab*c", false }, { "*a*", "ba*", false },
        { "a?", "ab", false },    { "a?", "a?", false },   { "?", "\xc3\xa4", false },
        { "a*b*", "ab*", false }, { "**", "", false },     { "a*", "*", true },
        { "a", "b", true },       { "a?", "a*", true },    { "a?", "a", true },
        { "a", "a*", true },      { "ab*", "a*", true },   { "??", "\xc3\xa4", true },
        { "a*b", "a*", true },    { "?*", "*", true },     { "", "a", true },
    };
    static const struct problem_case routes[] = {
        { "routes:\n  - {}\n  - match: {source: a}\n",
          "3: routes[1].match: is never reached: routes[0] takes all its events\n" },
        { "routes:\n  - match: {source: a}\n  - schema: S\n", "" },
        { "routes:\n  - match: {source: a}\n  - match: {source: a, detail-type: b}\n"
          "  - match: {detail-type: b}\n  - match: {source: '*', x: y, source2: a}\n    schema: "
          "S\n",
          "3: routes[1].match: is never reached: routes[0] takes all its events\n" },
        { "routes:\n  - match: {source: a, detail-type: '*'}\n  - match: {source: a}\n",
          "3: routes[1].match: is never reached: routes[0] takes all its events\n" },
        { "routes:\n  - match: {source: {}}\n  - match: {}\n",
          "2: routes[0].match.source: expected a text, a number, true, false, or a list of these, "
          "got an object\n" },
        { "routes:\n  - match: {source: [a, b*]}\n  - match: {source: [bc, a]}\n",
          "3: routes[1].match: is never reached: routes[0] takes all its events\n" },
        { "routes:\n  - match: {source: 7}\n  - match: {source: 7.0}\n",
          "3: routes[1].match: is never reached: routes[0] takes all its events\n" },
        { "routes:\n  - pattern: {source: [a, b]}\n  - pattern: {source: [a], detail: {x: [1]}}\n",
          "3: routes[1].pattern: is never reached: routes[0] takes all its events\n" },
    };
    char yaml[200];

    for (size_t i = 0; i < COUNT_OF(globs); i++) {
        (void)snprintf(yaml, sizeof(yaml),
                       "routes:\n  - match: {source: '%s'}\n  - match: {source: '%s'}\n",
                       globs[i].first, globs[i].second);
        TEST_CASE(yaml);
        check_problems(yaml, globs[i].reached ? ""
                                              : "3: routes[1].match: is never reached: routes[0] "
                                                "takes all its events\n");
    }
    check_problem_cases(routes, COUNT_OF(routes));
}

/* What the YAML reader finds does not keep the rest from being looked at. */
static void all_problems_come_at_once(void)
{
    static const struct problem_case cases[] = {
        { "http:\n  listen: ${SLUICE_TEST_NOT_SET}\n  threads: ${SLUICE_TEST_NOT_SET}\nx: 1\n",
          "2: http.listen: environment variable SLUICE_TEST_NOT_SET is not set\n"
          "3: http.threads: environment variable SLUICE_TEST_NOT_SET is not set\n"
          "4: x: unknown key\n" },
        { "http:\n  threads: a\n  threads: 1\n  threads: b\nhttp: 1\nlog: {level: loud}\n",
          "2: http.threads: expected an integer, got a string\n"
          "3: http.threads: duplicate key\n"
          "4: http.threads: duplicate key\n"
          "5: http: duplicate key\n"
          "6: log.level: expected one of: debug, info, warn, error\n" },
        { "http:\n  x: {a: 1, a: 2, a: 3}\n  threads: a\n",
          "2: http.x.a: duplicate key\n"
          "2: http.x: unknown key\n"
          "3: http.threads: expected an integer, got a string\n" },
        { "http: &h\n  listen: !x 127.0.0.1:0\n  threads: .inf\n  tls: *h\n  1: 2\nlog: !y {z: "
          "1}\n",
          "1: http: anchors and aliases are not allowed\n"
          "2: http.listen: tag !x is not allowed here\n"
          "3: http.threads: a number that JSON cannot hold\n"
          "4: http.tls: anchors and aliases are not allowed\n"
          "5: http.1: a key must be a string: put it in quotes\n"
          "6: log: tag !y is not allowed here\n"
          "6: log.z: unknown key\n" },
        { "auth: {open: true}\nhttp: {threads: a}\nroutes:\n  - transform: /nonexistent\n",
          "2: http.threads: expected an integer, got a string\n"
          "4: routes[0].transform: /nonexistent: No such file or directory\n" },
    };

    check_problem_cases(cases, COUNT_OF(cases));
}

/* A long key or value is cut, the reason is not. */
static void the_reason_is_never_cut(void)
{
    char name[600];
    char yaml[1400];

    memset(name, 'k', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    (void)snprintf(yaml, sizeof(yaml),
                   "%s: 1\nhttp: {tls: {cert_file: /%s, key_file: /dev/null}}\n", name, name);

    const char *path = scratch_file(yaml);
    struct config_review *review = NULL;
    struct error err = { 0 };

    CHECK(config_review_open(path, &review, &err));
    config_review_files(review, CONFIG_FILES_ALL);
    CHECK_INT((int64_t)settings_problem_count(review->settings), 2);
    for (size_t i = 0; i < settings_problem_count(review->settings); i++) {
        const struct settings_problem *problem = settings_problem(review->settings, i);

        CHECK(str_ends_with(str_from_c(problem->text), str_from_c(problem->what)));
        CHECK(str_ends_with(str_from_c(problem->what),
                            i == 0 ? STR("unknown key") : STR("...: File name too long")));
        CHECK(strlen(problem->text) < 800);
    }
    config_review_close(review);
    scratch_close();
}

static void nobody_is_exposed_by_accident(void)
{
    static const char refused[] =
        "1: http.listen: is reachable from other machines and no credential is configured: add one "
        "under auth, or set auth.open: true to let anyone in\n";
    static const struct problem_case cases[] = {
        { "http: {listen: '0.0.0.0:8080'}\n", refused },
        { "http: {listen: '10.1.2.3:8080'}\n", refused },
        { "http: {listen: '[::]:8080'}\n", refused },
        { "http: {listen: '[::ffff:10.0.0.1]:80'}\n", refused },
        { "http: {listen: '127.0.0.1:0'}\n", "" },
        { "http: {listen: '127.9.9.9:80'}\n", "" },
        { "http: {listen: 'localhost:80'}\n", "" },
        { "http: {listen: '[::1]:80'}\n", "" },
        { "http: {listen: '[::ffff:127.0.0.1]:80'}\n", "" },
        { "http: {listen: '0.0.0.0:8080'}\nauth: {open: true}\n", "" },
        { "http: {listen: '0.0.0.0:8080'}\nauth: {api_keys: [{value_file: /dev/null}]}\n", "" },
        { "http: {listen: '0.0.0.0:8080'}\nauth: {basic: [{user: u, password_file: /dev/null}]}\n",
          "" },
    };

    check_problem_cases(cases, COUNT_OF(cases));
    TEST_CASE("metrics too");
    check_problems("http: {metrics_listen: '0.0.0.0:9090'}\n",
                   "1: http.metrics_listen: is reachable from other machines and no credential is "
                   "configured: add one under auth, or set auth.open: true to let anyone in\n");
}

static void addresses_are_taken_apart(void)
{
    static const struct {
        const char *text;
        const char *host; /* NULL: refused */
        int port;
    } cases[] = {
        { "127.0.0.1:8080", "127.0.0.1", 8080 },
        { "0.0.0.0:0", "0.0.0.0", 0 },
        { "[::]:65535", "::", 65535 },
        { "[fe80::1]:1", "fe80::1", 1 },
        { "localhost:80", "127.0.0.1", 80 },
        { "127.0.0.1", NULL, 0 },
        { "127.0.0.1:", NULL, 0 },
        { ":8080", NULL, 0 },
        { "*:8080", NULL, 0 },
        { "8080", NULL, 0 },
        { "", NULL, 0 },
        { "127.0.0.1:65536", NULL, 0 },
        { "127.0.0.1:080808", NULL, 0 },
        { "127.0.0.1:-1", NULL, 0 },
        { "127.0.0.1:80 ", NULL, 0 },
        { "127.0.0.256:80", NULL, 0 },
        { "127.1:80", NULL, 0 },
        { "::1:80", NULL, 0 },
        { "[::1]", NULL, 0 },
        { "[127.0.0.1]:80", NULL, 0 },
        { "[localhost]:80", NULL, 0 },
        { "[]:80", NULL, 0 },
        { "[:80", NULL, 0 },
        { "example.com:80", NULL, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_create();
        struct config_address address = { 0 };
        bool ok = config_address_parse(arena, str_from_c(cases[i].text), &address);

        TEST_CASE(cases[i].text);
        CHECK(ok == (cases[i].host != NULL));
        if (ok && cases[i].host) {
            CHECK_STR(str_from_c(address.text), cases[i].text);
            CHECK_STR(str_from_c(address.host), cases[i].host);
            CHECK_INT(address.port, cases[i].port);
        }
        arena_destroy(arena);
    }
}

int main(void)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): there is one thread */
    (void)setenv("SLUICE_TEST_ONE", "secret", 1);
    (void)setenv("SLUICE_TEST_TWO_LINES", "a\nb", 1);
    /* NOLINTEND(concurrency-mt-unsafe) */
    RUN(problems_name_line_and_key);
    RUN(pins_are_versions_of_glue);
    RUN(routes_can_be_reached);
    RUN(all_problems_come_at_once);
    RUN(the_reason_is_never_cut);
    RUN(nobody_is_exposed_by_accident);
    RUN(addresses_are_taken_apart);
    return test_end();
}
