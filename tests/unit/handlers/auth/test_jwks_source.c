/*
 * test_jwks_source.c - claims about handlers/auth/jwks_source.h: keys follow their file or their
 * URL, and stay when it fails.
 */
#include "handlers/auth/jwks_source.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "base/log.h"
#include "tests/unit/canned.h"
#include "tests/unit/folder.h"
#include "tests/unit/signer.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

static struct folder folder;
static char file[FOLDER_PATH_SIZE];
static struct signer *signers[2];

/* A set with the first `count` of the two keys. */
static void write_set(struct buf *out, int count)
{
    for (int i = 0; i < count; i++) {
        buf_add(out, i == 0 ? STR("{\"keys\":[{") : STR("},{"));
        signer_write_jwk(signers[i], out);
    }
    buf_add(out, STR("}]}"));
}

static void put_file(const char *name, int count, int64_t seconds)
{
    struct buf set;

    buf_init(&set, 10000);
    write_set(&set, count);
    folder_write(&folder, name, buf_str(&set));
    folder_set_time(&folder, name, seconds);
    buf_done(&set);
}

static size_t key_count(struct jwks_source *source)
{
    uint64_t generation;
    const struct jwks *jwks = jwks_source_enter(source, &generation);
    size_t count = jwks ? jwks_count(jwks) : 0;

    CHECK((generation == 0) == (jwks == NULL));
    jwks_source_leave();
    return count;
}

static uint64_t generation_of(struct jwks_source *source)
{
    uint64_t generation;

    (void)jwks_source_enter(source, &generation);
    jwks_source_leave();
    return generation;
}

struct expectation {
    struct jwks_source *source;
    size_t count;
};

static bool has_so_many(void *self)
{
    const struct expectation *expected = self;

    return key_count(expected->source) == expected->count;
}

static bool wait_for_keys(struct jwks_source *source, size_t count)
{
    struct expectation expected = { source, count };

    return wait_until(has_so_many, &expected);
}

static struct jwks_source *from_file(void)
{
    struct jwks_source *source =
        jwks_source_create(&(struct jwks_source_options){ .url = "", .file = file });
    struct error err = { 0 };

    CHECK(jwks_source_load(source, &err));
    CHECK(jwks_source_start(source, &err));
    return source;
}

static void a_file_is_read_again_when_it_changes(void)
{
    struct jwks_source *source;
    uint64_t generation;

    put_file("jwks", 1, 1000000000);
    source = from_file();
    CHECK(key_count(source) == 1);
    generation = generation_of(source);
    put_file("jwks", 2, 1000000001);
    CHECK(wait_for_keys(source, 2));
    CHECK(generation_of(source) > generation);
    folder_write(&folder, "jwks", STR("{\"keys\":[]}"));
    put_file("other", 1, 1000000002);
    CHECK(key_count(source) == 2); /* whether it has looked or not */

    char other[FOLDER_PATH_SIZE];

    folder_path(&folder, "other", other);
    CHECK(rename(other, file) == 0);
    CHECK(wait_for_keys(source, 1));
    folder_remove(&folder, "jwks");
    CHECK(key_count(source) == 1);
    jwks_source_destroy(source);
    jwks_source_destroy(NULL);
}

static void a_file_that_cannot_be_used_is_named(void)
{
    static const char *const contents[] = { NULL, "", "{\"keys\":[]}" };

    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        struct jwks_source *source =
            jwks_source_create(&(struct jwks_source_options){ .url = "", .file = file });
        struct error err = { 0 };

        if (contents[i])
            folder_write(&folder, "jwks", str_from_c(contents[i]));
        CHECK(!jwks_source_load(source, &err));
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK(strstr(err.text, file) != NULL);
        CHECK(key_count(source) == 0);
        jwks_source_destroy(source);
    }
    folder_remove(&folder, "jwks");
}

/* What the server at the URL does at present. */
struct issuer {
    atomic_int keys; /* how many it publishes; 0: it fails */
    atomic_int asked;
    char answer[12000];
};

static struct str publish(void *self, struct str request, size_t nth)
{
    struct issuer *issuer = self;
    int keys = atomic_load(&issuer->keys);
    struct buf set;
    int len;

    (void)request;
    (void)nth;
    atomic_fetch_add(&issuer->asked, 1);
    if (keys == 0)
        return STR("HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}");
    if (keys < 0)
        return CANNED_STALL;
    buf_init(&set, 10000);
    write_set(&set, keys);
    len = snprintf(issuer->answer, sizeof(issuer->answer),
                   "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%.*s", set.len,
                   STR_ARG(buf_str(&set)));
    buf_done(&set);
    return (struct str){ issuer->answer, (size_t)len };
}

static struct issuer issuer;
static struct canned *server;
static struct jwks_source *source; /* of the issuer's keys */
static int64_t begin_us;

static struct jwks_source *from_issuer(void)
{
    char url[64];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/jwks", canned_port(server));
    return jwks_source_create(&(struct jwks_source_options){ .url = url, .file = "" });
}

static void begin(int keys)
{
    atomic_store(&issuer.keys, keys);
    atomic_store(&issuer.asked, 0);
    server = canned_start(NULL, publish, &issuer);
    source = from_issuer();
    begin_us = clock_monotonic_us();
}

static void end(void)
{
    jwks_source_destroy(source);
    canned_destroy(server);
}

static void an_unknown_key_causes_one_fetch(void)
{
    enum { FORGED = 1000 };
    struct error err = { 0 };

    begin(1);
    CHECK(jwks_source_start(source, &err));
    CHECK(key_count(source) == 1);
    atomic_store(&issuer.keys, 2);
    for (int i = 0; i < FORGED; i++)
        jwks_source_refresh_unknown(source);
    CHECK(wait_for_keys(source, 2));
    for (int i = 0; i < FORGED; i++)
        jwks_source_refresh_unknown(source);

    /* One fetch at the start, one after a second, and one for each five seconds. */
    int64_t seconds = (clock_monotonic_us() - begin_us) / 1000000;

    CHECK(atomic_load(&issuer.asked) <= 3 + seconds / 5);
    end();
}

static void a_wrong_signature_causes_one_fetch(void)
{
    enum { FORGED = 1000 };
    struct error err = { 0 };

    begin(2);
    CHECK(jwks_source_load(source, &err));
    CHECK(jwks_source_start(source, &err));
    atomic_store(&issuer.keys, 1);
    for (int i = 0; i < FORGED; i++)
        jwks_source_refresh_forged(source);
    CHECK(wait_for_keys(source, 1));
    for (int i = 0; i < FORGED; i++)
        jwks_source_refresh_forged(source);

    /* One fetch at the start, one after a second, and one for each half minute. */
    int64_t seconds = (clock_monotonic_us() - begin_us) / 1000000;

    CHECK(atomic_load(&issuer.asked) <= 3 + seconds / 30);
    end();
}

static void the_last_good_keys_stay(void)
{
    struct error err = { 0 };
    uint64_t generation;

    begin(2);
    CHECK(jwks_source_load(source, &err));
    generation = generation_of(source);
    atomic_store(&issuer.keys, 0);
    CHECK(!jwks_source_load(source, &err));
    CHECK_INT(err.code, ERR_UNREACHABLE);
    CHECK(strstr(err.text, "status 500") != NULL);
    CHECK(key_count(source) == 2);
    CHECK(generation_of(source) == generation);
    canned_stop(server);
    CHECK(!jwks_source_load(source, &err));
    CHECK(key_count(source) == 2);
    end();
}

static void the_same_keys_are_no_change(void)
{
    struct error err = { 0 };
    uint64_t generation;

    begin(2);
    CHECK(jwks_source_load(source, &err));
    generation = generation_of(source);
    CHECK(jwks_source_load(source, &err));
    CHECK(generation_of(source) == generation);
    end();
}

static void an_issuer_that_is_away_at_first_is_asked_again(void)
{
    struct error err = { 0 };

    begin(0);
    CHECK(jwks_source_start(source, &err));
    CHECK(key_count(source) == 0);
    atomic_store(&issuer.keys, 1);
    CHECK(wait_for_keys(source, 1));
    end();
}

static bool is_asked(void *self)
{
    return atomic_load(&((struct issuer *)self)->asked) > 0;
}

static void stopping_does_not_wait_for_an_answer(void)
{
    struct error err = { 0 };

    begin(1);
    CHECK(jwks_source_load(source, &err));
    atomic_store(&issuer.keys, -1);
    atomic_store(&issuer.asked, 0);
    CHECK(jwks_source_start(source, &err));
    jwks_source_refresh_unknown(source);
    CHECK(wait_until(is_asked, &issuer));
    begin_us = clock_monotonic_us();
    jwks_source_destroy(source);
    CHECK(clock_monotonic_us() - begin_us < 4000000); /* less than a time-out */
    canned_destroy(server);
}

static void a_successor_begins_with_the_keys_of_before(void)
{
    struct jwks_source *stranger =
        jwks_source_create(&(struct jwks_source_options){ .url = "http://127.0.0.1:1/", "" });
    struct jwks_source *heir;
    struct error err = { 0 };

    begin(2);
    heir = from_issuer();
    CHECK(!jwks_source_inherit(heir, source)); /* it has none yet */
    CHECK(jwks_source_load(source, &err));
    CHECK(jwks_source_inherit(heir, source));
    CHECK(!jwks_source_inherit(stranger, source));
    end();
    CHECK(key_count(heir) == 2);
    CHECK(key_count(stranger) == 0);
    jwks_source_destroy(heir);
    jwks_source_destroy(stranger);
}

int main(void)
{
    struct error err;

    (void)signal(SIGPIPE, SIG_IGN);
    CHECK(fetch_init(&err));
    log_configure(LOG_ERROR, LOG_JSON);
    folder_init(&folder);
    folder_path(&folder, "jwks", file);
    signers[0] = signer_create(SIGNATURE_ES256, 0);
    signers[1] = signer_create(SIGNATURE_EDDSA, 0);
    RUN(a_file_is_read_again_when_it_changes);
    RUN(a_file_that_cannot_be_used_is_named);
    RUN(an_unknown_key_causes_one_fetch);
    RUN(a_wrong_signature_causes_one_fetch);
    RUN(the_last_good_keys_stay);
    RUN(the_same_keys_are_no_change);
    RUN(an_issuer_that_is_away_at_first_is_asked_again);
    RUN(stopping_does_not_wait_for_an_answer);
    RUN(a_successor_begins_with_the_keys_of_before);
    signer_destroy(signers[0]);
    signer_destroy(signers[1]);
    folder_done(&folder);
    return test_end();
}
