/*
 * test_auth.c - claims about handlers/auth/auth.h.
 *
 * A changed file counts from the next auth_refresh() on.
 */
#include "handlers/auth/auth.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"

struct header {
    const char *name;
    const char *value;
};

/* Up to three headers; a name NULL ends them. */
struct headers {
    struct header list[4];
};

static struct str find_header(const void *connection, const char *name)
{
    const struct headers *headers = connection;

    for (const struct header *header = headers->list; header->name; header++)
        if (strcasecmp(header->name, name) == 0)
            return str_from_c(header->value);
    return STR_NONE;
}

static struct folder folder;
static char key_file[FOLDER_PATH_SIZE];
static char second_file[FOLDER_PATH_SIZE];
static char password_file[FOLDER_PATH_SIZE];

static struct auth *create(const struct auth_options *options)
{
    struct auth *auth = NULL;
    struct error err = { 0 };

    CHECK(auth_create(options, &auth, &err));
    CHECK_STR(str_from_c(err.text), "");
    return auth;
}

/* Is the request admitted? A refusal must be the documented 401. */
static bool admits(struct auth *auth, const struct headers *headers, const char *challenge)
{
    struct arena *arena = arena_create();
    struct request request = { .arena = arena, .connection = headers, .header = find_header };
    struct response response = { 0 };
    bool admitted = auth_admit(auth, &request, &response);

    if (admitted) {
        CHECK_INT(response.status, 0);
    } else {
        CHECK(response.note.reason.len > 0);
        CHECK_INT(response.status, 401);
        CHECK_STR(response.body, "{\"error\":\"Unauthorized\"}");
        CHECK_STR(str_from_c(response.www_authenticate), challenge);
    }
    arena_destroy(arena);
    return admitted;
}

static const char key_challenge[] = "ApiKey realm=\"sluice\"";
static const char basic_challenge[] = "Basic realm=\"sluice\", charset=\"UTF-8\"";

static void accepts_known_keys_only(void)
{
    static const struct {
        const char *name;
        struct headers headers;
        bool ok;
    } cases[] = {
        { "first key", { { { "X-Api-Key", "alpha" } } }, true },
        { "any case of the header", { { { "x-api-KEY", "alpha" } } }, true },
        { "second key, in its own header", { { { "authorization", "Bearer beta" } } }, true },
        { "one right, one wrong",
          { { { "x-api-key", "no" }, { "Authorization", "Bearer beta" } } },
          true },
        { "no header", { { { NULL, NULL } } }, false },
        { "another header", { { { "x-api-keys", "alpha" } } }, false },
        { "the first key in the second's header", { { { "authorization", "alpha" } } }, false },
        { "empty", { { { "x-api-key", "" } } }, false },
        { "wrong", { { { "x-api-key", "gamma" } } }, false },
        { "prefix", { { { "x-api-key", "alph" } } }, false },
        { "and more", { { { "x-api-key", "alphabet" } } }, false },
        { "a space", { { { "x-api-key", "alpha " } } }, false },
        { "wrong case", { { { "x-api-key", "ALPHA" } } }, false },
        { "the file's line end", { { { "x-api-key", "alpha\n" } } }, false },
    };
    static const struct auth_api_key keys[] = { { "X-Api-Key", key_file },
                                                { "Authorization", second_file } };

    folder_write(&folder, "key", STR(" alpha\t \nnot the key\n")); /* no header has blank ends */
    folder_write(&folder, "second", STR("Bearer beta"));

    struct auth *auth = create(&(struct auth_options){ .api_keys = keys, .api_key_count = 2 });

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        CHECK(admits(auth, &cases[i].headers, key_challenge) == cases[i].ok);
    }
    auth_destroy(auth);
    auth_destroy(NULL);
}

static void accepts_basic_as_the_rfc_says(void)
{
    static const struct {
        const char *name;
        const char *value;
        bool ok;
    } cases[] = {
        { "right", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", true },
        { "any case of the scheme", "bASIC QWxhZGRpbjpvcGVuIHNlc2FtZQ==", true },
        { "more spaces", "Basic   QWxhZGRpbjpvcGVuIHNlc2FtZQ== ", true },
        { "no space", "BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==", false },
        { "no scheme", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", false },
        { "only a scheme", "Basic", false },
        { "only a scheme and a space", "Basic ", false },
        { "another scheme", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", false },
        { "wrong case of Base64", "Basic qwxhZGRpbjpvcGVuIHNlc2FtZQ==", false },
        { "cut", "Basic QWxhZGRpbjpvcGVuIHNlc2Ft", false },
        { "other password", "Basic QWxhZGRpbjpvcGVuIHNlc2FtYQ==", false },
        { "other user", "Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ==", false },
        { "user only", "Basic QWxhZGRpbjo=", false },
        { "no Base64", "Basic Aladdin:open sesame", false },
        { "empty", "", false },
    };
    static const struct auth_basic basic = { "Aladdin", password_file };

    folder_write(&folder, "password", STR("open sesame\r\n"));

    struct auth *auth = create(&(struct auth_options){ .basic = &basic, .basic_count = 1 });

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct headers headers = { { { "Authorization", cases[i].value } } };

        TEST_CASE(cases[i].name);
        CHECK(admits(auth, &headers, basic_challenge) == cases[i].ok);
    }
    auth_destroy(auth);
}

/* All schemes that are accepted, Bearer first; with an error only after an invalid token. */
static void a_401_names_every_scheme(void)
{
    static const struct auth_api_key key = { "x-api-key", key_file };
    static const struct auth_basic basic = { "u", password_file };
    static const struct bearer_options bearer = {
        .issuer = "i", .audience = "a", .jwks_url = "http://127.0.0.1:1/", .jwks_file = ""
    };
    static const struct {
        const char *name;
        struct auth_options options;
        const char *challenge;
        const char *with_token;
    } cases[] = {
        { "key", { &key, 1, NULL, 0, NULL, NULL, NULL }, key_challenge, key_challenge },
        { "basic", { NULL, 0, &basic, 1, NULL, NULL, NULL }, basic_challenge, basic_challenge },
        { "key and basic",
          { &key, 1, &basic, 1, NULL, NULL, NULL },
          "Basic realm=\"sluice\", charset=\"UTF-8\", ApiKey realm=\"sluice\"",
          "Basic realm=\"sluice\", charset=\"UTF-8\", ApiKey realm=\"sluice\"" },
        { "bearer",
          { NULL, 0, NULL, 0, &bearer, NULL, NULL },
          "Bearer realm=\"sluice\"",
          "Bearer error=\"invalid_token\", realm=\"sluice\"" },
        { "all",
          { &key, 1, &basic, 1, &bearer, NULL, NULL },
          "Bearer realm=\"sluice\", Basic realm=\"sluice\", charset=\"UTF-8\", "
          "ApiKey realm=\"sluice\"",
          "Bearer error=\"invalid_token\", realm=\"sluice\", Basic realm=\"sluice\", "
          "charset=\"UTF-8\", ApiKey realm=\"sluice\"" },
    };
    static const struct headers nothing = { { { NULL, NULL } } };
    static const struct headers token = { { { "Authorization", "Bearer a.b.c" } } };
    static const struct headers both = { { { "Authorization", "Bearer a.b.c" },
                                           { "X-Api-Key", "alpha" } } };

    folder_write(&folder, "key", STR("alpha"));
    folder_write(&folder, "password", STR("p"));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct auth *auth = create(&cases[i].options);

        TEST_CASE(cases[i].name);
        CHECK(!admits(auth, &nothing, cases[i].challenge));
        CHECK(!admits(auth, &token, cases[i].with_token));
        CHECK(admits(auth, &both, cases[i].with_token) == (cases[i].options.api_key_count > 0));
        auth_destroy(auth);
    }
}

static struct str reason_of(struct auth *auth, const struct headers *headers)
{
    struct arena *arena = arena_create();
    struct request request = { .arena = arena, .connection = headers, .header = find_header };
    struct response response = { 0 };

    CHECK(!auth_admit(auth, &request, &response));
    arena_destroy(arena);
    return response.note.reason; /* constant text */
}

static void a_401_has_a_reason_for_the_log(void)
{
    static const struct auth_api_key key = { "x-api-key", key_file };
    static const struct auth_basic user = { "eve", password_file };
    static const struct {
        const char *name;
        const char *value;
        const char *reason;
    } cases[] = {
        { "other", "x", "credential absent" },
        { "x-api-key", "wrong", "credential wrong" },
        { "authorization", "Basic wrong", "credential wrong" },
        { "authorization", "Bearer wrong", "credential absent" },
    };

    folder_write(&folder, "key", STR("right"));
    folder_write(&folder, "password", STR("right"));

    struct auth *auth = create(&(struct auth_options){
        .api_keys = &key, .api_key_count = 1, .basic = &user, .basic_count = 1 });

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct headers headers = { { { cases[i].name, cases[i].value } } };

        TEST_CASE(cases[i].value);
        CHECK_STR(reason_of(auth, &headers), cases[i].reason);
    }
    auth_destroy(auth);
}

static void long_and_odd_values_are_refused(void)
{
    static const struct auth_api_key key = { "x-api-key", key_file };
    static char value[12000];
    static const struct headers headers = { { { "x-api-key", value } } };

    folder_write(&folder, "key", STR("p\xC3\xA4ss\xFF\tw"));

    struct auth *auth = create(&(struct auth_options){ .api_keys = &key, .api_key_count = 1 });

    (void)snprintf(value, sizeof(value), "p\xC3\xA4ss\xFF\tw");
    CHECK(admits(auth, &headers, key_challenge));
    (void)snprintf(value, sizeof(value), "pa\xCC\x88ss\xFF\tw"); /* the same to a reader */
    CHECK(!admits(auth, &headers, key_challenge));
    memset(value, 'p', sizeof(value) - 1);
    CHECK(!admits(auth, &headers, key_challenge));
    auth_destroy(auth);
}

static void users_and_passwords_are_bytes(void)
{
    static const struct {
        const char *user;
        const char *password;
    } cases[] = {
        { "", "x" },
        { "u", ":" },
        { "u", "a:b:c" },
        { "M\xC3\xBCller", "p\xC3\xA4\xC3\x9F" },
        { "u", " leading and trailing " },
        { "u", "\xFF\xFE" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct auth_basic basic = { cases[i].user, password_file };
        char pair[200];
        char value[300];

        TEST_CASE(cases[i].password);
        folder_write(&folder, "password", str_from_c(cases[i].password));
        (void)snprintf(pair, sizeof(pair), "%s:%s", cases[i].user, cases[i].password);

        struct str encoded = secret_base64(str_from_c(pair));
        struct auth *auth = create(&(struct auth_options){ .basic = &basic, .basic_count = 1 });
        const struct headers headers = { { { "Authorization", value } } };

        (void)snprintf(value, sizeof(value), "Basic %.*s", STR_ARG(encoded));
        CHECK(admits(auth, &headers, basic_challenge));
        value[sizeof("Basic ") - 1] ^= 1;
        CHECK(!admits(auth, &headers, basic_challenge));
        secret_free(encoded);
        auth_destroy(auth);
    }
}

static void a_file_that_cannot_be_used_is_named(void)
{
    static const char *const contents[] = { NULL, "", "\nsecret", " \t\nsecret", "secret\x01" };

    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        const struct auth_api_key keys[] = { { "x-api-key", key_file },
                                             { "x-other", second_file } };
        struct auth *auth = NULL;
        struct error err = { 0 };

        folder_write(&folder, "key", STR("alpha"));
        folder_write(&folder, "second", str_from_c(contents[i]));
        if (!contents[i])
            folder_remove(&folder, "second");
        CHECK(!auth_create(&(struct auth_options){ .api_keys = keys, .api_key_count = 2 }, &auth,
                           &err));
        CHECK(!auth);
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK(strstr(err.text, second_file) != NULL);
        CHECK(strstr(err.text, "secret") == NULL);
    }
}

struct attempt {
    struct auth *auth;
    const char *key;
};

static bool is_let_in(const struct attempt *attempt)
{
    const struct headers headers = { { { "x-api-key", attempt->key } } };

    return admits(attempt->auth, &headers, key_challenge);
}

static void a_changed_file_is_read_again(void)
{
    static const struct auth_api_key key = { "x-api-key", key_file };

    folder_write(&folder, "key", STR("old"));
    folder_set_time(&folder, "key", 1000000000);

    struct attempt with_old = {
        create(&(struct auth_options){ .api_keys = &key, .api_key_count = 1 }), "old"
    };
    struct attempt with_new = { with_old.auth, "new" };

    CHECK(is_let_in(&with_old) && !is_let_in(&with_new));
    folder_write(&folder, "key", STR("new"));
    folder_set_time(&folder, "key", 1000000001);
    CHECK(is_let_in(&with_old) && !is_let_in(&with_new)); /* a request reads no file */
    auth_refresh(with_old.auth);
    CHECK(is_let_in(&with_new));
    CHECK(!is_let_in(&with_old));
    auth_destroy(with_old.auth);
}

static void the_old_secret_stays_while_the_file_is_unusable(void)
{
    static const struct auth_api_key keys[] = { { "x-api-key", key_file },
                                                { "x-api-key", second_file } };

    folder_write(&folder, "key", STR("old"));
    folder_write(&folder, "second", STR("two"));
    folder_set_time(&folder, "key", 1000000000);
    folder_set_time(&folder, "second", 1000000000);

    struct attempt with_old = {
        create(&(struct auth_options){ .api_keys = keys, .api_key_count = 2 }), "old"
    };
    struct attempt with_three = { with_old.auth, "three" };
    struct attempt with_new = { with_old.auth, "new" };

    folder_write(&folder, "key", STR("\n"));
    folder_write(&folder, "second", STR("three"));
    auth_refresh(with_old.auth);
    CHECK(is_let_in(&with_three));
    CHECK(is_let_in(&with_old));
    folder_remove(&folder, "key");
    auth_refresh(with_old.auth);
    CHECK(is_let_in(&with_old));
    CHECK(mkfifo(key_file, 0600) == 0); /* nothing writes to it */
    auth_refresh(with_old.auth);
    CHECK(is_let_in(&with_old));
    folder_remove(&folder, "key");
    folder_write(&folder, "key", STR("new"));
    auth_refresh(with_old.auth);
    CHECK(is_let_in(&with_new));
    CHECK(!is_let_in(&with_old));
    auth_destroy(with_old.auth);
}

static struct auth *shared;
static atomic_bool stop;
static atomic_int wrong;

/* One of the two keys is right at any time, and never a third. */
static void *ask_until_stopped(void *self)
{
    static const struct headers none = { { { "x-api-key", "neither" } } };
    struct arena *arena = arena_create();

    while (!atomic_load(&stop)) {
        struct request request = { .arena = arena, .connection = &none, .header = find_header };
        struct response response = { 0 };

        wrong += auth_admit(shared, &request, &response);
        arena_destroy(arena);
        arena = arena_create();
    }
    arena_destroy(arena);
    return self;
}

static void many_threads_may_ask_while_a_file_changes(void)
{
    enum { THREADS = 3 };
    static const struct auth_api_key key = { "x-api-key", key_file };
    pthread_t threads[THREADS];

    folder_write(&folder, "key", STR("old"));
    folder_set_time(&folder, "key", 1000000000);
    shared = create(&(struct auth_options){ .api_keys = &key, .api_key_count = 1 });
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, ask_until_stopped, NULL) == 0);
    folder_write(&folder, "key", STR("new"));

    struct attempt with_new = { shared, "new" };

    for (int i = 0; i < 100; i++) {
        folder_set_time(&folder, "key", 1000000001 + i);
        auth_refresh(shared);
    }
    CHECK(is_let_in(&with_new));
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    CHECK_INT(wrong, 0);
    auth_destroy(shared);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    folder_init(&folder);
    folder_path(&folder, "key", key_file);
    folder_path(&folder, "second", second_file);
    folder_path(&folder, "password", password_file);
    RUN(accepts_known_keys_only);
    RUN(accepts_basic_as_the_rfc_says);
    RUN(a_401_names_every_scheme);
    RUN(a_401_has_a_reason_for_the_log);
    RUN(long_and_odd_values_are_refused);
    RUN(users_and_passwords_are_bytes);
    RUN(a_file_that_cannot_be_used_is_named);
    RUN(a_changed_file_is_read_again);
    RUN(the_old_secret_stays_while_the_file_is_unusable);
    RUN(many_threads_may_ask_while_a_file_changes);
    folder_done(&folder);
    return test_end();
}
