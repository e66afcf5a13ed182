/*
 * test_bearer.c - claims about handlers/auth/bearer.h: which headers bring a token, and which are
 * good.
 */
#include "handlers/auth/bearer.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "base/log.h"
#include "tests/unit/folder.h"
#include "tests/unit/signer.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

static struct folder folder;
static char file[FOLDER_PATH_SIZE];
static struct signer *signer;
static struct signer *other;

static struct str find_header(const void *connection, const char *name)
{
    return strcasecmp(name, "authorization") == 0 ? str_from_c(connection) : STR_NONE;
}

/* The verdict on a request with this Authorization header; NULL: without one. In any thread. */
static enum bearer_verdict judge(struct bearer *bearer, const char *header, const char **reason)
{
    struct arena *arena = arena_create();
    struct request request = { .arena = arena, .connection = header, .header = find_header };
    enum bearer_verdict verdict;

    *reason = NULL;
    verdict = bearer_check(bearer, &request, reason);
    arena_destroy(arena);
    return verdict;
}

static enum bearer_verdict check(struct bearer *bearer, const char *header, const char **reason)
{
    enum bearer_verdict verdict = judge(bearer, header, reason);

    CHECK((verdict == BEARER_BAD) == (*reason != NULL));
    return verdict;
}

static void put_keys(const struct signer *of, int64_t seconds)
{
    struct buf set;

    buf_init(&set, 10000);
    buf_add(&set, STR("{\"keys\":[{"));
    signer_write_jwk(of, &set);
    buf_add(&set, STR(",\"kid\":\"k\"}]}"));
    folder_write(&folder, "jwks", buf_str(&set));
    folder_set_time(&folder, "jwks", seconds);
    buf_done(&set);
}

/* `scheme`, then a token that is good for so many seconds. */
static void write_header(const struct signer *by, const char *scheme, int64_t seconds,
                         char out[static 2000])
{
    char payload[200];
    struct buf token;

    buf_init(&token, 2000);
    (void)snprintf(payload, sizeof(payload), "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":%jd}",
                   (intmax_t)clock_now_us() / 1000000 + seconds);
    signer_write_token(by, "{\"alg\":\"ES256\",\"kid\":\"k\"}", payload, &token);
    (void)snprintf(out, 2000, "%s%.*s", scheme, STR_ARG(buf_str(&token)));
    buf_done(&token);
}

static struct bearer *create(void)
{
    const struct bearer_options options = {
        .issuer = "i", .audience = "a", .jwks_url = "", .jwks_file = file
    };
    struct bearer *bearer = NULL;
    struct error err = { 0 };

    CHECK(bearer_create(&options, &bearer, &err));
    CHECK(bearer_start(bearer, NULL, &err));
    CHECK_STR(str_from_c(err.text), "");
    return bearer;
}

static void headers_bring_tokens_or_not(void)
{
    static const struct {
        const char *name;
        const char *scheme;
        enum bearer_verdict verdict;
    } cases[] = {
        { "as the RFC writes it", "Bearer ", BEARER_GOOD },
        { "any case", "bEARER ", BEARER_GOOD },
        { "more spaces", "Bearer   ", BEARER_GOOD },
        { "no scheme", "", BEARER_ABSENT },
        { "another scheme", "Basic ", BEARER_ABSENT },
        { "DPoP", "DPoP ", BEARER_ABSENT },
        { "no space", "Bearer", BEARER_ABSENT },
        { "a colon", "Bearer: ", BEARER_ABSENT },
        { "twice", "Bearer Bearer ", BEARER_BAD },
        { "quoted", "Bearer \"", BEARER_BAD },
        { "as a parameter", "Bearer token=", BEARER_BAD },
    };
    struct bearer *bearer;
    const char *reason;

    put_keys(signer, 1000000000);
    bearer = create();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char header[2000];

        TEST_CASE(cases[i].name);
        write_header(signer, cases[i].scheme, 100, header);
        CHECK_INT(check(bearer, header, &reason), cases[i].verdict);
        CHECK_INT(check(bearer, header, &reason), cases[i].verdict); /* from the cache */
    }
    CHECK_INT(check(bearer, NULL, &reason), BEARER_ABSENT);
    CHECK_INT(check(bearer, "", &reason), BEARER_ABSENT);
    CHECK_INT(check(bearer, "Bearer", &reason), BEARER_ABSENT);
    CHECK_INT(check(bearer, "Bearer  ", &reason), BEARER_BAD);
    CHECK_INT(check(bearer, "Bearer x", &reason), BEARER_BAD);
    CHECK_STR(str_from_c(reason), "not a token");
    bearer_destroy(bearer);
    bearer_destroy(NULL);
}

static void a_good_token_is_good_only_to_the_letter(void)
{
    char header[2000];
    const char *reason;
    struct bearer *bearer = create();

    write_header(signer, "Bearer ", 100, header);
    CHECK_INT(check(bearer, header, &reason), BEARER_GOOD);
    header[strlen(header) - 2] ^= 1;
    CHECK_INT(check(bearer, header, &reason), BEARER_BAD);
    header[strlen(header) - 2] ^= 1;
    CHECK_INT(check(bearer, header, &reason), BEARER_GOOD);
    write_header(signer, "Bearer ", -61, header);
    CHECK_INT(check(bearer, header, &reason), BEARER_BAD);
    CHECK_STR(str_from_c(reason), "expired");
    write_header(other, "Bearer ", 100, header);
    CHECK_INT(check(bearer, header, &reason), BEARER_BAD);
    CHECK_STR(str_from_c(reason), "signature wrong");
    bearer_destroy(bearer);
}

static enum bearer_verdict check_of(struct bearer *bearer, const struct request *given,
                                    const char *header)
{
    struct arena *arena = arena_create();
    struct request request = *given;
    const char *reason = NULL;

    request.arena = arena;
    request.connection = header;
    request.header = find_header;

    enum bearer_verdict verdict = bearer_check(bearer, &request, &reason);

    arena_destroy(arena);
    return verdict;
}

/* Which differ, so that none is known from before: a claim is `nth`. */
static void write_forged(int64_t nth, char out[static 2000])
{
    write_header(other, "Bearer ", 1000 + nth, out);
}

static void a_sender_of_bad_tokens_is_not_checked_for_ever(void)
{
    enum { ENOUGH = 10000 };
    const struct request bad_sender = { .sender = 1 };
    const struct request good_sender = { .sender = 2 };
    struct bearer *bearer = create();
    enum bearer_verdict verdict = BEARER_BAD;
    char known[2000];
    char fresh[2000];
    char forged[2000];
    char kept[2000];

    write_header(signer, "Bearer ", 100, known);
    write_header(signer, "Bearer ", 200, fresh);
    CHECK_INT(check_of(bearer, &bad_sender, known), BEARER_GOOD);
    write_forged(0, kept);
    for (int i = 0; i < ENOUGH; i++) /* the same token costs one check */
        verdict = check_of(bearer, &bad_sender, kept);
    CHECK_INT(verdict, BEARER_BAD);
    for (int i = 0; i < ENOUGH && verdict == BEARER_BAD; i++) {
        write_forged(i + 1, forged);
        verdict = check_of(bearer, &bad_sender, forged);
    }
    CHECK_INT(verdict, BEARER_UNCHECKED);
    CHECK_INT(check_of(bearer, &bad_sender, known), BEARER_GOOD);
    CHECK_INT(check_of(bearer, &good_sender, forged), BEARER_BAD);
    CHECK_INT(check_of(bearer, &good_sender, fresh), BEARER_GOOD);
    bearer_destroy(bearer);
}

static void over_a_limit_only_known_tokens_are_good(void)
{
    const struct request usual = { .sender = 1 };
    const struct request hurried = { .sender = 1, .is_over_limit = true };
    struct bearer *bearer = create();
    char header[2000];

    write_header(signer, "Bearer ", 100, header);
    CHECK_INT(check_of(bearer, &hurried, header), BEARER_UNCHECKED);
    CHECK_INT(check_of(bearer, &usual, header), BEARER_GOOD);
    CHECK_INT(check_of(bearer, &hurried, header), BEARER_GOOD);
    bearer_destroy(bearer);
}

static void a_token_may_have_to_be_of_a_client(void)
{
    const char *const ids[] = { "c" };
    const struct bearer_options options = { .issuer = "i",
                                            .audience = "a",
                                            .jwks_url = "",
                                            .jwks_file = file,
                                            .client_ids = ids,
                                            .client_id_count = 1 };
    struct bearer *bearer = NULL;
    struct error err = { 0 };
    const char *reason;
    char header[2000];

    CHECK(bearer_create(&options, &bearer, &err));
    write_header(signer, "Bearer ", 100, header);
    CHECK_INT(check(bearer, header, &reason), BEARER_BAD);
    CHECK_STR(str_from_c(reason), "another client");
    bearer_destroy(bearer);
}

struct attempt {
    struct bearer *bearer;
    const char *header;
    enum bearer_verdict wanted;
};

static bool is_as_wanted(void *self)
{
    const struct attempt *attempt = self;
    const char *reason;

    return check(attempt->bearer, attempt->header, &reason) == attempt->wanted;
}

/* Though they were good a moment ago. */
static void a_withdrawn_key_takes_its_tokens_along(void)
{
    char with_old[2000];
    char with_new[2000];
    struct bearer *bearer;

    put_keys(signer, 1000000000);
    bearer = create();
    write_header(signer, "Bearer ", 100, with_old);
    write_header(other, "Bearer ", 100, with_new);

    struct attempt old_good = { bearer, with_old, BEARER_GOOD };
    struct attempt old_bad = { bearer, with_old, BEARER_BAD };
    struct attempt new_good = { bearer, with_new, BEARER_GOOD };

    CHECK(is_as_wanted(&old_good));
    put_keys(other, 1000000001);
    CHECK(wait_until(is_as_wanted, &new_good));
    CHECK(is_as_wanted(&old_bad));
    bearer_destroy(bearer);
}

static void without_keys_nobody_is_good(void)
{
    const struct bearer_options options = {
        .issuer = "i", .audience = "a", .jwks_url = "http://127.0.0.1:1/jwks", .jwks_file = ""
    };
    struct bearer *bearer = NULL;
    struct error err = { 0 };
    char header[2000];
    const char *reason;

    CHECK(bearer_create(&options, &bearer, &err));
    CHECK(bearer_start(bearer, NULL, &err));
    write_header(signer, "Bearer ", 100, header);
    CHECK_INT(check(bearer, header, &reason), BEARER_BAD);
    CHECK_STR(str_from_c(reason), "no keys yet");
    bearer_destroy(bearer);
}

static void a_bad_file_is_named(void)
{
    const struct bearer_options options = {
        .issuer = "i", .audience = "a", .jwks_url = "", .jwks_file = file
    };
    struct bearer *bearer = NULL;
    struct error err = { 0 };

    folder_write(&folder, "jwks", STR("{}"));
    CHECK(!bearer_create(&options, &bearer, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK(strstr(err.text, file) != NULL);
    CHECK(bearer == NULL);
}

struct asking {
    struct bearer *bearer;
    char header[2000];
};

static void *ask(void *self)
{
    const struct asking *asking = self;
    const char *reason;

    for (int i = 0; i < 300; i++)
        (void)judge(asking->bearer, asking->header, &reason);
    return NULL;
}

static void threads_may_ask_while_keys_change(void)
{
    struct asking asking;
    pthread_t threads[3];

    put_keys(signer, 1000000000);
    asking.bearer = create();
    write_header(signer, "Bearer ", 100, asking.header);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        CHECK(pthread_create(&threads[i], NULL, ask, &asking) == 0);
    put_keys(other, 1000000001);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        (void)pthread_join(threads[i], NULL);
    bearer_destroy(asking.bearer);
}

int main(void)
{
    struct error err;

    (void)signal(SIGPIPE, SIG_IGN);
    CHECK(fetch_init(&err));
    log_configure(LOG_ERROR, LOG_JSON);
    folder_init(&folder);
    folder_path(&folder, "jwks", file);
    signer = signer_create(SIGNATURE_ES256, 0);
    other = signer_create(SIGNATURE_ES256, 0);
    RUN(headers_bring_tokens_or_not);
    RUN(a_good_token_is_good_only_to_the_letter);
    RUN(a_sender_of_bad_tokens_is_not_checked_for_ever);
    RUN(over_a_limit_only_known_tokens_are_good);
    RUN(a_token_may_have_to_be_of_a_client);
    RUN(a_withdrawn_key_takes_its_tokens_along);
    RUN(without_keys_nobody_is_good);
    RUN(a_bad_file_is_named);
    RUN(threads_may_ask_while_keys_change);
    signer_destroy(signer);
    signer_destroy(other);
    folder_done(&folder);
    return test_end();
}
