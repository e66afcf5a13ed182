/*
 * test_problems_sinks.c - what is wrong with the sinks of a configuration, with line and key.
 */
#include "server/config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/folder.h"
#include "tests/unit/load_config.h"
#include "tests/unit/test.h"

/* A folder with files of a server, and other names of some of them. */
static void make_places(struct folder *folder)
{
    static const struct {
        const char *from;
        const char *to;
    } soft[] = { { "db", "soft" }, { "db-wal", "to-log" }, { "schemas/part.json", "to-schema" } };
    char path[FOLDER_PATH_SIZE];
    char other[FOLDER_PATH_SIZE];

    folder_init(folder);
    folder_write(folder, "db", STR(""));
    folder_write(folder, "key", STR("secret"));
    folder_write(folder, "pepper", STR("secret"));
    folder_write(folder, "more.yaml", STR("routes: []\n"));
    folder_write(folder, "transform.yml",
                 STR("fields: [{name: a, from: /a, as: [trim, {hmac_sha256: pepper}]}]\n"));
    folder_write(folder, "aws",
                 STR("[profile x]\nweb_identity_token_file = /run/token\n"
                     "[profile y]\nweb_identity_token_file = /run/other\n"));
    folder_path(folder, "x", path);
    CHECK(mkdir(path, 0700) == 0);
    folder_path(folder, "db", path);
    folder_path(folder, "hard", other);
    CHECK(link(path, other) == 0);
    folder_path(folder, "pepper", path);
    folder_path(folder, "hard-pepper", other);
    CHECK(link(path, other) == 0);
    for (size_t i = 0; i < COUNT_OF(soft); i++) {
        folder_path(folder, soft[i].to, other);
        CHECK(symlink(soft[i].from, other) == 0);
    }
}

/* Add `text`, with the path of the folder for each %s. */
static void add_with_folder(struct buf *out, const struct folder *folder, const char *text)
{
    for (const char *gap; (gap = strstr(text, "%s")); text = gap + 2)
        buf_printf(out, "%.*s%s", (int)(gap - text), text, folder->path);
    buf_add(out, str_from_c(text));
}

struct place_case {
    const char *name;
    const char *sink; /* where the sink writes; a path, or below the folder */
    const char *more; /* of the configuration, with %s for the folder; `, {` begins another sink */
    const char *why;  /* no sink may write there; NULL: one may */
};

static void check_place(const struct folder *folder, const struct place_case *row)
{
    CLEANUP(buf_done) struct buf yaml;
    CLEANUP(buf_done) struct buf problems;
    bool is_sink = *row->more == ',';
    char path[FOLDER_PATH_SIZE];

    TEST_CASE(row->name);
    folder_path(folder, row->sink, path);
    buf_init(&yaml, 10000);
    buf_init(&problems, 10000);
    buf_printf(&yaml, "sinks: [{name: a, kind: file, path: '%s'}",
               *row->sink == '/' ? row->sink : path);
    add_with_folder(&yaml, folder, is_sink ? row->more : "");
    add_with_folder(&yaml, folder, "]\nstore: {path: %s/db}\n");
    add_with_folder(&yaml, folder, is_sink ? "" : row->more);
    if (row->why)
        buf_printf(&problems, "1: sinks[0].path: %s: records cannot be written here: %s\n",
                   *row->sink == '/' ? row->sink : path, row->why);
    buf_add_char(&yaml, '\0');
    buf_add_char(&problems, '\0');
    check_problems(yaml.ptr, problems.ptr);
}

#define OF_STORE  "it belongs to the store (store.path)"
#define OF_SCHEMA "it is a schema (registry.dir)"
#define OF_CACHE  "it is in the schemas' cache (registry.cache_dir)"
#define OF_SHADOW "it is the shadow schema of a route"
#define OF_FILE   "the configuration is read from it"
#define OF_RECORD "a transform reads it"
#define OF_AWS    "settings or credentials of AWS are read from it"
#define BESIDE    ", {name: b, kind: http, url: 'http://x', "
#define KAFKA_TLS                                                                                  \
    ", {name: b, kind: kafka, topic: t, brokers: ['b:1'], tls: {ca_file: %s/key, cert_file: "      \
    "%s/key, key_file: %s/key}"
#define ROUTE "routes: [{registry: r, schema: s, transform: %s/transform.yml"
#define SCHEMAS                                                                                    \
    "registry: {kind: file, dir: %s/schemas}\n"                                                    \
    "routes: [{registry: r, schema: s, transform: /dev/null}]\n"

static const struct place_case place_cases[] = {
    { "the database", "db", "", OF_STORE },
    { "by another spelling", "./x/..//db", "", OF_STORE },
    { "by a symbolic link", "soft", "", OF_STORE },
    { "by a hard link", "hard", "", OF_STORE },
    { "its log", "db-wal", "", OF_STORE },
    { "its index", "db-shm", "", OF_STORE },
    { "its journal", "db-journal", "", OF_STORE },
    { "its lock", "db.lock", "", OF_STORE },
    { "its socket", "db.control", "", OF_STORE },
    { "its ballast", "db.ballast", "", OF_STORE },
    { "a link to what is not there yet", "to-log", "", OF_STORE },
    { "a neighbour", "db2", "", NULL },

    { "the cache", "cache/a", "registry: {kind: glue, cache_dir: %s/cache}\n", OF_CACHE },
    { "the cache of a guard", "cache/a",
      "registry: {kind: file, guard: enforce, cache_dir: %s/cache}\n", OF_CACHE },
    { "no cache", "cache/a", "registry: {kind: file, cache_dir: %s/cache}\n", NULL },
    { "a schema", "schemas/r/s.json", SCHEMAS, OF_SCHEMA },
    { "a part of schemas", "schemas/part.json", SCHEMAS, OF_SCHEMA },
    { "a link to a part", "to-schema", SCHEMAS, OF_SCHEMA },
    { "beside the schemas", "schemas/records.ndjson", SCHEMAS, NULL },
    { "a shadow", "next.json", ROUTE ", shadow: {file: %s/next.json}}]\n", OF_SHADOW },

    { "what is included", "more.yaml", "include: [ '%s/more.yaml' ]\n", OF_FILE },
    { "what would be included", "more.ndjson", "include: '%s/more*'\n", OF_FILE },
    { "beside what is included", "records.ndjson", "include: '%s/*.yaml'\n", NULL },
    { "a transform", "transform.yml", ROUTE "}]\n", OF_FILE },
    { "one of an output", "transform.yml",
      "routes: [{registry: r, schema: s, outputs: [{transform: /dev/null},\n"
      " {transform: %s/transform.yml}]}]\n",
      OF_FILE },
    { "the secret of a transform", "pepper", ROUTE "}]\n", OF_RECORD },
    { "the secret by a hard link", "hard-pepper", ROUTE "}]\n", OF_RECORD },
    { "a certificate", "key", "http: {tls: {cert_file: %s/key, key_file: /dev/null}}\n", OF_FILE },
    { "its key", "key", "http: {tls: {cert_file: /dev/null, key_file: %s/key}}\n", OF_FILE },
    { "a key set", "key", "auth: {bearer: {issuer: i, audience: a, jwks_file: %s/key}}\n",
      OF_FILE },
    { "an API key", "key", "auth: {api_keys: [{header: x-api-key, value_file: %s/key}]}\n",
      OF_FILE },
    { "a password", "key", "auth: {basic: [{user: u, password_file: %s/key}]}\n", OF_FILE },
    { "an operator's API key", "key",
      "admin: {api_keys: [{header: x-api-key, value_file: %s/key}]}\n", OF_FILE },
    { "an operator's password", "key", "admin: {basic: [{user: u, password_file: %s/key}]}\n",
      OF_FILE },

    { "a header of a sink", "key", BESIDE "secret_headers: {k: %s/key}}", OF_FILE },
    { "a signing key", "key", BESIDE "sign: {secret_file: %s/key}}", OF_FILE },
    { "a client's secret", "key",
      BESIDE "oauth: {token_url: 'http://x', client_id: c, client_secret_file: %s/key}}", OF_FILE },
    { "a sink's authorities", "key", BESIDE "ca_file: %s/key}", OF_FILE },
    { "a sink's certificate", "key", BESIDE "cert_file: %s/key, key_file: /dev/null}", OF_FILE },
    { "a sink's key", "key", BESIDE "cert_file: /dev/null, key_file: %s/key}", OF_FILE },
    { "TLS of Kafka", "key", KAFKA_TLS "}", OF_FILE },
    { "a password of Kafka", "key",
      ", {name: b, kind: kafka, topic: t, brokers: ['b:1'], tls: true,\n"
      " sasl: {mechanism: PLAIN, user: u, password_file: %s/key}}",
      OF_FILE },

    { "a profile file", "aws", "", OF_AWS },
    { "a token file", "token", "", OF_AWS },
    { "a token file of a profile", "/run/token", "", OF_AWS },
    { "a token file of another profile", "/run/other", "", OF_AWS },
};

/* Whatever name it has: records written there would destroy it. */
static void no_sink_writes_to_a_file_of_the_server(void)
{
    struct folder folder;
    char path[FOLDER_PATH_SIZE];

    make_places(&folder);
    folder_path(&folder, "aws", path);
    (void)setenv("AWS_CONFIG_FILE", path, 1); /* NOLINT(concurrency-mt-unsafe): one thread */
    folder_path(&folder, "token", path);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
    (void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
    for (size_t i = 0; i < COUNT_OF(place_cases); i++)
        check_place(&folder, &place_cases[i]);
    folder_done(&folder);
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

static const struct problem_case sink_cases[] = {
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
    { "sinks:\n  - {name: a, kind: file, path: x, mode: 0640}\n"
      "  - {name: b, kind: file, path: y, mode: '0664'}\n"
      "  - {name: c, kind: file, path: z, mode: null}\n",
      "" },
    { "sinks:\n  - {name: a, kind: file, path: x, mode: 0o640}\n"
      "  - {name: b, kind: file, path: y, mode: insert}\n"
      "  - {name: c, kind: file, path: z, mode: '0755'}\n"
      "  - {name: d, kind: http, url: http://x, mode: 0600}\n",
      "2: sinks[0].mode: expected one of: 0600, 0640, 0644, 0660, 0664, 0666\n"
      "3: sinks[1].mode: expected one of: 0600, 0640, 0644, 0660, 0664, 0666\n"
      "4: sinks[2].mode: expected one of: 0600, 0640, 0644, 0660, 0664, 0666\n"
      "5: sinks[3].mode: is not a key of kind http\n" },
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

static const struct problem_case aws_sink_cases[] = {
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
    { DYNAMODB("hash_key: {a: /a}, mode: 0600"),
      "2: sinks[0].mode: expected one of: insert, replace\n" },
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
    check_problem_cases(aws_sink_cases, COUNT_OF(aws_sink_cases));
}

static void sinks_are_checked_as_a_whole(void)
{
    check_problem_cases(sink_cases, COUNT_OF(sink_cases));
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

int main(void)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): there is one thread */
    (void)setenv("SLUICE_TEST_ONE", "secret", 1);
    (void)setenv("SLUICE_TEST_TWO_LINES", "a\nb", 1);
    /* NOLINTEND(concurrency-mt-unsafe) */
    RUN(sinks_are_checked_as_a_whole);
    RUN(kafka_sinks_are_checked);
    RUN(a_kafka_sink_needs_brokers_and_a_topic);
    RUN(sinks_of_aws_are_checked_as_a_whole);
    RUN(a_bus_gets_no_event_that_a_route_takes);
    RUN(no_sink_writes_to_a_file_of_the_server);
    RUN(sinks_have_a_bound);
    return test_end();
}
