/*
 * test_problems.c - what is wrong with a configuration, all of it, with line and key.
 */
#include "server/config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/config/config_internal.h"
#include "tests/unit/folder.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

/* All problems of a file, one a line, without the file's name in front. */
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

static void check_problems(const char *yaml, const char *expected)
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

static const struct {
    const char *yaml;
    const char *problems;
} wrong[] = {
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
    { "http: {proxy_protocol: true}\n",
      "1: http.proxy_protocol: needs the addresses of the proxies in http.trusted_proxies\n" },
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
      "5: routes[0].pattern.detail.a/b: prefx is no operator\n" },
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
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        TEST_CASE(wrong[i].yaml);
        check_problems(wrong[i].yaml, wrong[i].problems);
    }
}

static void pins_are_versions_of_glue(void)
{
    static const struct {
        const char *yaml;
        const char *problems;
    } cases[] = {
        { "registry: {pin: {a/b: 3}}\n",
          "1: registry.pin: names versions of AWS Glue, but registry.kind is file\n" },
        { "registry: {kind: glue, pin: {a/b: 3}}\n", "" },
        { "registry: {guard: enforce}\n", "" },
        { "registry: {guard: off, guard_samples: 0}\nhttp: {respond: receipt}\n", "" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].yaml);
        check_problems(cases[i].yaml, cases[i].problems);
    }
}

/* A folder with a database, and other names of it and of its log. */
static void make_places(struct folder *folder)
{
    char path[FOLDER_PATH_SIZE];
    char other[FOLDER_PATH_SIZE];

    folder_init(folder);
    folder_write(folder, "db", STR(""));
    folder_write(folder, "key", STR("secret"));
    folder_path(folder, "x", path);
    CHECK(mkdir(path, 0700) == 0);
    folder_path(folder, "db", path);
    folder_path(folder, "hard", other);
    CHECK(link(path, other) == 0);
    folder_path(folder, "soft", other);
    CHECK(symlink("db", other) == 0);
    folder_path(folder, "to-log", other);
    CHECK(symlink("db-wal", other) == 0);
}

/* `line` is more of the configuration, with %s for the folder; `why` NULL: it is fine. */
static void check_place(const struct folder *folder, const char *sink, const char *line,
                        const char *why)
{
    CLEANUP(buf_done) struct buf yaml;
    CLEANUP(buf_done) struct buf problems;
    const char *gap = strstr(line, "%s");
    char path[FOLDER_PATH_SIZE];

    folder_path(folder, sink, path);
    buf_init(&yaml, 10000);
    buf_init(&problems, 10000);
    buf_printf(&yaml, "sinks: [{name: a, kind: file, path: %s}]\nstore: {path: %s/db}\n", path,
               folder->path);
    if (gap)
        buf_printf(&yaml, "%.*s%s%s", (int)(gap - line), line, folder->path, gap + 2);
    if (why)
        buf_printf(&problems, "1: sinks[0].path: %s: records cannot be written here: %s\n", path,
                   why);
    buf_add_char(&yaml, '\0');
    buf_add_char(&problems, '\0');
    check_problems(yaml.ptr, problems.ptr);
}

/* Whatever name it has: records written there would destroy it. */
static void no_sink_writes_to_a_file_of_the_server(void)
{
    static const struct {
        const char *name;
        const char *sink; /* below the folder */
        const char *line; /* the rest of the configuration */
        const char *why;  /* NULL: fine */
    } cases[] = {
        { "the database", "db", "", "it belongs to the store (store.path)" },
        { "by another spelling", "./x/..//db", "", "it belongs to the store (store.path)" },
        { "by a symbolic link", "soft", "", "it belongs to the store (store.path)" },
        { "by a hard link", "hard", "", "it belongs to the store (store.path)" },
        { "its log", "db-wal", "", "it belongs to the store (store.path)" },
        { "its lock", "db.lock", "", "it belongs to the store (store.path)" },
        { "its socket", "db.control", "", "it belongs to the store (store.path)" },
        { "a link to what is not there yet", "to-log", "", "it belongs to the store (store.path)" },
        { "the cache", "cache/a", "registry: {kind: glue, cache_dir: %s/cache}\n",
          "it is in the schemas' cache (registry.cache_dir)" },
        { "a schema", "schemas/GenesysInteractionRegistry/InteractionStartedSchema.json",
          "registry: {kind: file, dir: %s/schemas}\n", "it is a schema (registry.dir)" },
        { "a part of schemas", "parts/Common.json", "registry: {kind: file, dir: %s}\n",
          "it is a schema (registry.dir)" },
        { "beside the schemas", "records.ndjson", "registry: {kind: file, dir: %s}\n", NULL },
        { "a secret", "key", "auth: {api_keys: [{header: x-api-key, value_file: %s/key}]}\n",
          "the configuration is read from it" },
        { "a neighbour", "db2", "", NULL },
    };
    struct folder folder;

    make_places(&folder);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        check_place(&folder, cases[i].sink, cases[i].line, cases[i].why);
    }
    folder_done(&folder);
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
    static const struct {
        const char *yaml;
        const char *problems;
    } routes[] = {
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
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        TEST_CASE(routes[i].yaml);
        check_problems(routes[i].yaml, routes[i].problems);
    }
}

/* What the YAML reader finds does not keep the rest from being looked at. */
static void all_problems_come_at_once(void)
{
    static const struct {
        const char *yaml;
        const char *problems;
    } cases[] = {
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

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].yaml);
        check_problems(cases[i].yaml, cases[i].problems);
    }
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

static void sinks_have_a_bound(void)
{
    enum { BOUND = 64 };
    struct buf yaml;

    buf_init(&yaml, SIZE_MAX);
    buf_add(&yaml, STR("sinks:\n"));
    for (int i = 0; i <= BOUND; i++) {
        if (i == BOUND)
            check_problems(yaml.ptr, "");
        buf_printf(&yaml, "  - {name: s%d, kind: file, path: x%d}\n", i, i);
    }
    check_problems(yaml.ptr, "1: sinks: expected a list of at most 64 sinks\n");
    buf_done(&yaml);
}

static const struct {
    const char *yaml;
    const char *problems;
} sink_cases[] = {
    { "sinks:\n  - {name: a, kind: file}\n", "2: sinks[0].path: is missing\n" },
    { "sinks:\n  - {name: a, kind: http}\n", "2: sinks[0].url: is missing\n" },
    { "sinks:\n  - {name: a, kind: ftp}\n",
      "2: sinks[0].kind: expected one of: file, http, kafka, kinesis, sqs, s3, "
      "firehose, eventbridge, dynamodb, sns\n" },
    { "sinks:\n  - {kind: file, path: x}\n", "2: sinks[0].name: is missing\n" },
    { "sinks:\n  - {name: a b, kind: file, path: x}\n",
      "2: sinks[0].name: expected a name of letters, digits, . _ and -\n" },
    { "sinks:\n  - {name: a, kind: http, url: ftp://x}\n",
      "2: sinks[0].url: expected an http or https URL without credentials\n" },
    { "sinks:\n  - {name: a, kind: http, url: 'http://user:word@x/a'}\n",
      "2: sinks[0].url: expected an http or https URL without credentials\n" },
    { "sinks:\n  - {name: a, kind: http, url: 'http:///x'}\n",
      "2: sinks[0].url: expected an http or https URL without credentials\n" },
    { "sinks:\n  - {name: a, kind: http, url: 'http://x/a b'}\n",
      "2: sinks[0].url: expected an http or https URL without credentials\n" },
    { "sinks:\n  - {name: a, kind: file, path: x}\n  - {name: a, kind: file, path: y}\n",
      "3: sinks[1].name: another sink has this name already\n" },
    { "sinks:\n  - {name: a, kind: file, path: x}\n  - {name: b, kind: file, path: x}\n",
      "3: sinks[1].path: another sink writes to this file already\n" },
    { "sinks:\n  - {name: a, kind: file, path: /}\n", "2: sinks[0].path: /: Is a directory\n" },
    { "sinks:\n  - {name: a, kind: file, path: /dev/null}\n",
      "2: sinks[0].path: /dev/null: not a regular file\n" },
    { "sinks:\n  - {name: a, kind: file, path: /dev/fd/7}\n",
      "2: sinks[0].path: /dev/fd/7: records cannot be written here: it is a name of an open "
      "descriptor, not a file of its own\n" },
    { "sinks:\n  - {name: a, kind: file, path: x}\n  - {name: b, kind: file, path: .//x}\n",
      "3: sinks[1].path: another sink writes to this file already\n" },
    { "sinks:\n  - {name: a, kind: file, path: /dev/null/x/y}\n",
      "2: sinks[0].path: /dev/null/x/y: Not a directory\n" },

    { "sinks:\n  - {name: a, kind: file, path: new/folders/x}\n", "" },
    { "sinks:\n  - {name: a, kind: http, url: http://x,\n     secret_headers: {k: "
      "/nonexistent}}\n",
      "3: sinks[0].secret_headers.k: /nonexistent: No such file or directory\n" },
    { "sinks:\n  - {name: a, kind: http, url: https://x, ca_file: /nonexistent}\n",
      "2: sinks[0].ca_file: /nonexistent: No such file or directory\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, headers: {Content-Length: '1'}}\n",
      "2: sinks[0].headers.Content-Length: Sluice sets this header itself\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, headers: {k: v},\n"
      "     secret_headers: {K: /dev/null}}\n",
      "3: sinks[0].secret_headers.K: is in headers as well\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, headers: {Host: x, TE: x, Expect: "
      "x}}\n",
      "2: sinks[0].headers.TE: Sluice sets this header itself\n"
      "2: sinks[0].headers.Expect: Sluice sets this header itself\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, secret_headers: {a: "
      "'env:SLUICE_TEST_ONE',\n"
      "     b: 'env:SLUICE_TEST_NONE', c: 'env:SLUICE_TEST_TWO_LINES', d: 'env:'}}\n",
      "3: sinks[0].secret_headers.b: env:SLUICE_TEST_NONE: it must be set, to text on one line\n"
      "3: sinks[0].secret_headers.c: env:SLUICE_TEST_TWO_LINES: it must be set, to text on one "
      "line\n"
      "3: sinks[0].secret_headers.d: env:: it must be set, to text on one line\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, cert_file: /dev/null}\n",
      "2: sinks[0].cert_file: cert_file and key_file go together\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, key_file: /dev/null}\n",
      "2: sinks[0].cert_file: cert_file and key_file go together\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, cert_file: /nonexistent/c,\n"
      "     key_file: /nonexistent/k}\n",
      "2: sinks[0].cert_file: /nonexistent/c: No such file or directory\n"
      "3: sinks[0].key_file: /nonexistent/k: No such file or directory\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, compression: zip}\n",
      "2: sinks[0].compression: expected one of: none, gzip, lz4, zstd\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, compression: lz4}\n",
      "2: sinks[0].compression: expected one of: none, gzip\n" },
    { "sinks:\n  - {name: a, kind: s3}\n", "2: sinks[0].bucket: is missing\n" },
    { "sinks:\n  - {name: a, kind: s3, bucket: b-b, prefix: /a, path: x}\n",
      "2: sinks[0].path: is not a key of kind s3\n"
      "2: sinks[0].prefix: has a / at its start or behind another /\n" },
    { "store: {path: ''}\nsinks:\n  - {name: a, kind: s3, bucket: b-b}\n",
      "3: sinks[0].kind: an s3 sink needs a store: senders would wait for its objects\n" },
    { "sinks:\n  - {name: a, kind: s3, bucket: b-b, prefix: a/}\n"
      "  - {name: b, kind: s3, bucket: b-b, prefix: a/}\n"
      "  - {name: c, kind: s3, bucket: b-c, prefix: a/}\n",
      "3: sinks[1].prefix: another sink writes to this bucket and prefix already\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, compression: gzip,\n"
      "     headers: {content-Encoding: br}}\n",
      "2: sinks[0].compression: the header content-encoding is configured as well\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, sign: {secret_file: /nonexistent/s}}\n",
      "2: sinks[0].sign.secret_file: /nonexistent/s: No such file or directory\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, sign: {secret_file: /dev/null},\n"
      "     secret_headers: {Webhook-Id: /dev/null}}\n",
      "2: sinks[0].sign: the header webhook-id is configured as well\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, oauth: {token_url: ftp://x,\n"
      "     client_id: c, client_secret_file: /dev/null}}\n",
      "2: sinks[0].oauth.token_url: expected an http or https URL without credentials\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, oauth: {token_url: http://x}}\n",
      "2: sinks[0].oauth: token_url, client_id and client_secret_file go together\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, oauth: {scope: x}}\n",
      "2: sinks[0].oauth.scope: needs token_url\n" },
    { "sinks:\n  - {name: a, kind: http, url: http://x, headers: {Authorization: x},\n"
      "     oauth: {token_url: http://x, client_id: c, client_secret_file: /nonexistent/s}}\n",
      "3: sinks[0].oauth: the header authorization is configured as well\n"
      "3: sinks[0].oauth.client_secret_file: /nonexistent/s: No such file or directory\n" },
    { "sinks:\n  - {name: a, kind: file, path: x, sign: {}, oauth: {}, compression: gzip}\n",
      "2: sinks[0].sign: is not a key of kind file\n"
      "2: sinks[0].oauth: is not a key of kind file\n"
      "2: sinks[0].compression: is not a key of kind file\n" },
    { "sinks:\n  - name: a\n    kind: file\n    path: x\n    url: http://x\n    headers: {}\n"
      "    secret_headers: {}\n    ca_file: ''\n    batch: 1\n    timeout: 1s\n",
      "5: sinks[0].url: is not a key of kind file\n"
      "6: sinks[0].headers: is not a key of kind file\n"
      "7: sinks[0].secret_headers: is not a key of kind file\n"
      "8: sinks[0].ca_file: is not a key of kind file\n"
      "10: sinks[0].timeout: is not a key of kind file\n" },
    { "sinks:\n  - name: a\n    kind: http\n    url: http://x\n    path: ''\n"
      "    rotate_size: 1MiB\n    rotate_every: 1h\n",
      "5: sinks[0].path: is not a key of kind http\n"
      "6: sinks[0].rotate_size: is not a key of kind http\n"
      "7: sinks[0].rotate_every: is not a key of kind http\n" },
};

#define SINK(keys)     "sinks:\n  - {name: a, " keys "}\n"
#define KINESIS(keys)  SINK("kind: kinesis, " keys)
#define SQS(keys)      SINK("kind: sqs, " keys)
#define SNS(name)      SINK("kind: sns, topic_arn: 'arn:aws:sns:eu-west-1:123456789012:" name)
#define DYNAMODB(keys) SINK("kind: dynamodb, table: abc, " keys)
#define BRIDGE(keys)   SINK("kind: eventbridge, " keys)
#define ROUTES(match)                                                                              \
    "routes: [{registry: r, schema: s, transform: /dev/null, match: {" match "}}]\n"
#define QUEUE "https://sqs.eu-west-1.amazonaws.com/123456789012/q"

static const struct {
    const char *yaml;
    const char *problems;
} aws_sink_cases[] = {
    { KINESIS("stream: orders, partition_key: /a/b, max_record: 1MiB, newline: true"), "" },
    { KINESIS("stream: 'arn:aws-cn:kinesis:cn-north-1:123456789012:stream/a.b'"), "" },
    { SINK("kind: kinesis"), "2: sinks[0].stream: is missing\n" },
    { KINESIS("stream: a/b"), "2: sinks[0].stream: expected the name or the ARN of a stream\n" },
    { KINESIS("stream: a, max_record: 11MiB"), "2: sinks[0].max_record: must be at most 10MiB\n" },
    { KINESIS("stream: a, partition_key: a"),
      "2: sinks[0].partition_key: expected a JSON Pointer, empty or beginning with /\n" },
    { KINESIS("stream: a, region: EU"), "2: sinks[0].region: expected the name of a region\n" },
    { KINESIS("stream: a, queue_url: x"), "2: sinks[0].queue_url: expected the URL of a queue\n" },
    { KINESIS("stream: a, queue_url: '" QUEUE "'"),
      "2: sinks[0].queue_url: is not a key of kind kinesis\n" },
    { KINESIS("stream: 'arn:aws:kinesis:eu-west-1:123456789012:stream/a', region: us-east-1"),
      "2: sinks[0].region: the target is in eu-west-1\n" },
    { KINESIS("stream: 'arn:aws:kinesis:eu-west-1:123456789012:stream/a', region: eu-west-1"), "" },
    { SQS("queue_url: '" QUEUE "'"), "" },
    { SQS("queue_url: 'http://127.0.0.1:4566/000000000000/q', region: eu-west-1"), "" },
    { SINK("kind: sqs"), "2: sinks[0].queue_url: is missing\n" },
    { SQS("queue_url: '" QUEUE "', region: us-east-1"),
      "2: sinks[0].region: the target is in eu-west-1\n" },
    { SQS("queue_url: 'https://eu-west-1.queue.amazonaws.com/1/q', region: a"),
      "2: sinks[0].region: the target is in eu-west-1\n" },
    { SQS("queue_url: 'https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/q', region: a"),
      "2: sinks[0].region: the target is in eu-west-1\n" },
    { SQS("queue_url: 'https://sqs-fips.us-gov-west-1.amazonaws.com/1/q', region: a"),
      "2: sinks[0].region: the target is in us-gov-west-1\n" },
    { SQS("queue_url: 'https://queue.amazonaws.com/1/q', region: a"), "" },
    { SQS("queue_url: 'https://x.amazonaws.com/1/q', region: a"), "" },
    { SQS("queue_url: '" QUEUE ".fifo'"), "2: sinks[0]: a FIFO target needs group_id\n" },
    { SQS("queue_url: '" QUEUE ".fifo', group_id: /a, deduplication: content"), "" },
    { SQS("queue_url: '" QUEUE "', group_id: /a, deduplication: content"),
      "2: sinks[0].deduplication: only a FIFO target finds duplicates\n" },
    { SQS("queue_url: '" QUEUE "', attributes: {a: /a, b-c.d: /x/y}"), "" },
    { SQS("queue_url: '" QUEUE "', attributes: {a: ''}"),
      "2: sinks[0].attributes.a: expected a JSON Pointer that begins with /\n" },
    { SQS("queue_url: '" QUEUE "', attributes: {aws.a: /a}"),
      "2: sinks[0].attributes: expected names of attributes as keys\n" },
    { SNS("t', region: eu-west-1"), "" },
    { SNS("t', region: us-east-1"), "2: sinks[0].region: the target is in eu-west-1\n" },
    { SNS("t.fifo'"), "2: sinks[0]: a FIFO target needs group_id\n" },
    { SNS("t.fifo', group_id: /a, deduplication: content"), "" },
    { SINK("kind: sns"), "2: sinks[0].topic_arn: is missing\n" },
    { SINK("kind: sns, topic_arn: t"), "2: sinks[0].topic_arn: expected the ARN of a topic\n" },
    { DYNAMODB("hash_key: {id: ''}"), "" },
    { DYNAMODB("mode: replace, hash_key: {id: /a}, range_key: {at: /b}, as: attributes,\n"
               "     ttl: {name: expires, after: 30d}"),
      "" },
    { SINK("kind: dynamodb, hash_key: {id: ''}"), "2: sinks[0].table: is missing\n" },
    { DYNAMODB("mode: insert"), "2: sinks[0].hash_key: is missing\n" },
    { DYNAMODB("hash_key: {a: /a, b: /b}"),
      "2: sinks[0].hash_key: expected one attribute with a JSON Pointer\n" },
    { DYNAMODB("hash_key: {a: b}"),
      "2: sinks[0].hash_key.a: expected a JSON Pointer, empty or beginning with /\n" },
    { DYNAMODB("hash_key: {record: /a}"),
      "2: sinks[0].document: hash_key has this name already\n" },
    { DYNAMODB("hash_key: {record: /a}, as: attributes"), "" },
    { DYNAMODB("hash_key: {a: /a}, range_key: {a: /b}, ttl: {name: a}"),
      "2: sinks[0].range_key: hash_key has this name already\n"
      "2: sinks[0].ttl.name: hash_key has this name already\n"
      "2: sinks[0].ttl.name: range_key has this name already\n" },
    { SINK("kind: firehose, delivery_stream: a, newline: false"), "" },
    { SINK("kind: firehose, delivery_stream: a, newline: null"), "" },
    { SINK("kind: firehose"), "2: sinks[0].delivery_stream: is missing\n" },
    { SINK("kind: firehose, delivery_stream: a b"),
      "2: sinks[0].delivery_stream: expected the name of a delivery stream\n" },
    { BRIDGE("source: aws.s3, detail_type: x") ROUTES("source: a"),
      "2: sinks[0].source: expected a text that does not begin with aws.\n" },
    { BRIDGE("source: b, detail_type: x, bus: a b") ROUTES("source: a"),
      "2: sinks[0].bus: expected the name or the ARN of an event bus\n" },
    { BRIDGE("source: b"), "2: sinks[0].detail_type: is missing\n" },
    { BRIDGE("source: b, detail_type: '{x'") ROUTES("source: a"),
      "2: sinks[0].detail_type: a { without }; {{ is a brace\n" },
    { BRIDGE("source: b, detail_type: x, region: r,\n     bus: "
             "'arn:aws:events:eu-west-1:123456789012:event-bus/x'") ROUTES("source: a"),
      "2: sinks[0].region: the target is in eu-west-1\n" },
};

static void a_bus_gets_no_event_that_a_route_takes(void)
{
    static const struct {
        const char *source;
        const char *detail_type;
        const char *match;
        bool loops;
    } rows[] = {
        { "b", "x", "source: a", false },
        { "a", "x", "source: a", true },
        { "a", "x", "source: a, detail-type: y", false },
        { "a", "x", "source: a, detail-type: x", true },
        { "a", "x", "detail-type: y", false },
        { "b", "x", "/detail/q: '1'", true },
        { "b", "x", "source: '*'", true },
        { "abc", "x", "source: 'a*'", true },
        { "bbc", "x", "source: 'a*'", false },
        { "abc", "x", "source: 'a*c'", true },
        { "abd", "x", "source: 'a*c'", false },
        { "abc", "x", "source: 'a?c'", true },
        { "s.{/q}", "x", "source: 'a*'", false },
        { "s.{/q}", "x", "source: 's.genesys'", true },
        { "s.{/q}", "x", "source: 's'", false },
        { "{/q}", "x", "source: a", true },
        { "{/q}.z", "x", "source: '*.y'", false },
        { "{/q}.z", "{/q}", "source: '?.*', detail-type: y", true },
        { "s.{/q}.{/r}.t", "x", "source: 's.*.u.*.t'", true },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char yaml[1000];

        TEST_CASE(rows[i].match);
        (void)snprintf(yaml, sizeof(yaml), BRIDGE("source: '%s', detail_type: '%s'") ROUTES("%s"),
                       rows[i].source, rows[i].detail_type, rows[i].match);
        check_problems(yaml, rows[i].loops
                                 ? "2: sinks[0].source: events with this source and detail_type "
                                   "could come back by routes[0]: give it a `match` that excludes "
                                   "them\n"
                                 : "");
    }
}

static void sinks_of_aws_are_checked_as_a_whole(void)
{
    for (size_t i = 0; i < COUNT_OF(aws_sink_cases); i++) {
        TEST_CASE(aws_sink_cases[i].yaml);
        check_problems(aws_sink_cases[i].yaml, aws_sink_cases[i].problems);
    }
}

static void sinks_are_checked_as_a_whole(void)
{
    for (size_t i = 0; i < COUNT_OF(sink_cases); i++) {
        TEST_CASE(sink_cases[i].yaml);
        check_problems(sink_cases[i].yaml, sink_cases[i].problems);
    }
}

#define KAFKA "sinks:\n  - {name: a, kind: kafka, topic: t, brokers: ['b:9092'],\n     "

static void kafka_sinks_are_checked(void)
{
    static const struct {
        const char *keys;
        const char *problems;
    } cases[] = {
        { "tls: true, sasl: {mechanism: PLAIN, user: u, password_file: /dev/null}}\n", "" },
        { "sasl: {mechanism: SCRAM-SHA-512, user: u, password_file: /dev/null}}\n", "" },
        { "compression: zstd, max_message: 2MiB, headers: {a: b}, batch: 10000}\n", "" },
        { "tls: {ca_file: /dev/null, cert_file: /dev/null, key_file: /dev/null}}\n", "" },
        { "in_flight: 1}\n", "" },
        { "glue_header: true}\n", "3: sinks[0].glue_header: needs registry.kind: glue\n" },
        { "glue_header: true}\nregistry: {kind: glue}\n", "" },
        { "compression: gzip}\n", "3: sinks[0].compression: expected one of: none, lz4, zstd\n" },
        { "in_flight: 2}\n",
          "3: sinks[0].in_flight: is not a key of kind kafka: its client has many records in "
          "flight\n" },
        { "url: 'http://x'}\n", "3: sinks[0].url: is not a key of kind kafka\n" },
        { "headers: {sluice-key: x}}\n",
          "3: sinks[0].headers.sluice-key: Sluice sets this header itself\n" },
        { "tls: {cert_file: /dev/null}}\n",
          "3: sinks[0].tls: needs both files, cert_file and key_file, or none\n" },
        { "tls: {ca: /dev/null}}\n",
          "3: sinks[0].tls: expected ca_file, cert_file and key_file as keys\n" },
        { "tls: {ca_file: /nonexistent}}\n",
          "3: sinks[0].tls.ca_file: /nonexistent: No such file or directory\n" },
        { "tls: yes please}\n", "3: sinks[0].tls: expected true, false, or an object with "
                                "ca_file, cert_file and key_file, got a string\n" },
        { "sasl: {mechanism: PLAIN, user: u, password_file: /dev/null}}\n",
          "3: sinks[0].sasl.mechanism: sends credentials in clear text: set tls\n" },
        { "sasl: {mechanism: AWS_MSK_IAM}}\n",
          "3: sinks[0].sasl.mechanism: sends credentials in clear text: set tls\n" },
        { "sasl: {mechanism: AWS_MSK_IAM, user: u}, tls: true}\n",
          "3: sinks[0].sasl: AWS_MSK_IAM has no user and no password_file\n" },
        { "sasl: {mechanism: AWS_MSK_IAM}, tls: true, region: eu-west-1, profile: p}\n", "" },
        { "sasl: {mechanism: SCRAM-SHA-256, user: u}}\n",
          "3: sinks[0].sasl: needs user and password_file\n" },
        { "sasl: {user: u}}\n", "3: sinks[0].sasl.mechanism: is missing\n" },
        { "sasl: {mechanism: GSSAPI}}\n", "3: sinks[0].sasl.mechanism: expected one of: none, "
                                          "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, AWS_MSK_IAM\n" },
        { "sasl: {mechanism: SCRAM-SHA-256, user: u, password_file: /nonexistent}}\n",
          "3: sinks[0].sasl.password_file: /nonexistent: No such file or directory\n" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(buf_done) struct buf yaml;

        buf_init(&yaml, SIZE_MAX);
        buf_printf(&yaml, "%s%s", KAFKA, cases[i].keys);
        TEST_CASE(cases[i].keys);
        check_problems(yaml.ptr, cases[i].problems);
    }
}

static void a_kafka_sink_needs_brokers_and_a_topic(void)
{
    TEST_CASE("needs");
    check_problems("sinks:\n  - {name: a, kind: kafka}\n",
                   "2: sinks[0].brokers: is missing\n2: sinks[0].topic: is missing\n");
    check_problems("sinks:\n  - {name: a, kind: kafka, topic: 'a b', brokers: [b]}\n",
                   "2: sinks[0].brokers[0]: expected a broker as host:port\n"
                   "2: sinks[0].topic: expected a topic of at most 249 letters, digits, . _ and "
                   "-\n");
    check_problems("sinks:\n  - {name: a, kind: kafka, topic: '', brokers: []}\n",
                   "2: sinks[0].brokers: must not be empty\n"
                   "2: sinks[0].topic: must not be empty\n");
    TEST_CASE("on this machine");
    check_problems("sinks:\n  - {name: a, kind: kafka, topic: t, brokers: ['127.0.0.1:1', "
                   "'localhost:2', '[::1]:3'],\n     sasl: {mechanism: PLAIN, user: u, "
                   "password_file: /dev/null}}\n",
                   "");
}

static void nobody_is_exposed_by_accident(void)
{
    static const char refused[] =
        "1: http.listen: is reachable from other machines and no credential is configured: add one "
        "under auth, or set auth.open: true to let anyone in\n";
    static const struct {
        const char *yaml;
        const char *problems;
    } cases[] = {
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

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].yaml);
        check_problems(cases[i].yaml, cases[i].problems);
    }
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
    RUN(sinks_are_checked_as_a_whole);
    RUN(kafka_sinks_are_checked);
    RUN(a_kafka_sink_needs_brokers_and_a_topic);
    RUN(sinks_of_aws_are_checked_as_a_whole);
    RUN(a_bus_gets_no_event_that_a_route_takes);
    RUN(no_sink_writes_to_a_file_of_the_server);
    RUN(sinks_have_a_bound);
    RUN(routes_can_be_reached);
    RUN(all_problems_come_at_once);
    RUN(the_reason_is_never_cut);
    RUN(nobody_is_exposed_by_accident);
    RUN(addresses_are_taken_apart);
    return test_end();
}
