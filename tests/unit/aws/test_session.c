/*
 * test_session.c - claims about aws/session.h: credentials stay fresh, and no
 * caller waits too long.
 */
#include "aws/session.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "aws/session_internal.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "tests/unit/aws_world.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum { PATIENCE_US = 60000000, ANSWER_SIZE = 512, THREADS = 8 };

static const atomic_bool never = false;

/* A container's credentials: KEY0, KEY1, … of a life of so many seconds; and how it fails. */
struct source {
    _Atomic int64_t life_s; /* 0: for ever */
    atomic_bool fails;
    atomic_bool hangs;
    char answer[ANSWER_SIZE];
};

static struct str give(void *self, struct str request, size_t nth)
{
    struct source *source = self;
    char expiry[CLOCK_TEXT_SIZE];
    int64_t life_s = atomic_load(&source->life_s);

    (void)request;
    if (atomic_load(&source->hangs))
        return CANNED_STALL;
    if (atomic_load(&source->fails))
        return STR(WORLD_REFUSE("500 Oops"));
    clock_format(clock_now_us() + life_s * US_PER_S, expiry);
    (void)snprintf(source->answer, sizeof(source->answer),
                   WORLD_JSON("{\"AccessKeyId\":\"KEY%zu\",\"SecretAccessKey\":\"s\"%s%s%s}"), nth,
                   life_s ? ",\"Expiration\":\"" : "", life_s ? expiry : "", life_s ? "\"" : "");
    return str_from_c(source->answer);
}

struct setting {
    struct world world;
    struct source source;
    struct canned *server;
    struct aws_session *session;
};

static void begin(struct setting *setting, int64_t life_s)
{
    struct error err = { 0 };
    char url[100];

    memset(&setting->source, 0, sizeof(setting->source));
    atomic_store(&setting->source.life_s, life_s);
    world_init(&setting->world, NULL);
    setting->server = canned_start(NULL, give, &setting->source);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", canned_port(setting->server));
    world_set(&setting->world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    world_set(&setting->world, "AWS_REGION", "eu-west-1");
    CHECK(aws_session_create(&(struct aws_session_options){ 0 }, &setting->session, &err));
    CHECK_STR(str_from_c(err.text), "");
}

static void end(struct setting *setting)
{
    aws_session_destroy(setting->session);
    canned_destroy(setting->server);
    world_done(&setting->world);
}

/* The key id that the session gives, or "" and an error. */
static bool acquire(struct setting *setting, int64_t time_us, char key_id[static 16],
                    uint64_t *number, struct error *err)
{
    const struct aws_wait wait = { clock_monotonic_us() + time_us, &never };
    struct aws_key key;

    key_id[0] = '\0';
    *number = 0;
    if (!aws_session_acquire(setting->session, &wait, &key, err))
        return false;
    (void)snprintf(key_id, 16, "%.*s", STR_ARG(key.credentials.key_id));
    *number = key.number;
    aws_credentials_done(&key.credentials);
    return true;
}

static void credentials_without_an_end_are_asked_for_once(void)
{
    struct setting setting;
    struct error err = { 0 };
    const char *source = "";
    char key_id[16];
    uint64_t number;

    begin(&setting, 0);
    CHECK_STR(str_from_c(aws_session_region(setting.session)), "eu-west-1");
    CHECK_INT(aws_session_credential_expiry(setting.session), 0);
    for (int i = 0; i < 5; i++) {
        CHECK(acquire(&setting, PATIENCE_US, key_id, &number, &err));
        CHECK_STR(str_from_c(key_id), "KEY0");
    }
    CHECK(aws_session_check(setting.session, clock_monotonic_us() + PATIENCE_US, &source, &err));
    CHECK_STR(str_from_c(source), "container");
    CHECK_INT((int64_t)canned_requests(setting.server), 1);
    CHECK_INT(aws_session_credential_expiry(setting.session), 0);
    end(&setting);
}

static void *acquire_in_thread(void *self)
{
    struct error err = { 0 };
    char key_id[16];
    uint64_t number;

    return acquire(self, PATIENCE_US, key_id, &number, &err) ? self : NULL;
}

static void many_at_once_cause_one_request(void)
{
    struct setting setting;
    pthread_t threads[THREADS];

    begin(&setting, 3600);
    for (int i = 0; i < THREADS; i++)
        assert(pthread_create(&threads[i], NULL, acquire_in_thread, &setting) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;

        (void)pthread_join(threads[i], &result);
        CHECK(result != NULL);
    }
    CHECK(canned_requests(setting.server) <= 2); /* a second one for who came when it had begun */
    CHECK(aws_session_credential_expiry(setting.session) > clock_now_us() / US_PER_S + 3000);
    end(&setting);
}

static bool gives_other_ones(void *self)
{
    struct error err = { 0 };
    char key_id[16];
    uint64_t number;

    return acquire(self, PATIENCE_US, key_id, &number, &err) && number >= 2;
}

static bool has_second_request(void *self)
{
    return canned_requests(self) >= 2;
}

/* Half of a life of two seconds: there are new ones without a call. */
static void new_ones_come_ahead_of_the_end_by_themselves(void)
{
    struct setting setting;
    struct error err = { 0 };
    char key_id[16];
    uint64_t number;

    begin(&setting, 2);
    CHECK(acquire(&setting, PATIENCE_US, key_id, &number, &err));
    CHECK(wait_until(has_second_request, setting.server));
    CHECK(wait_until(gives_other_ones, &setting)); /* the answer is on its way */
    end(&setting);
}

static void old_ones_are_given_while_there_are_no_others(void)
{
    struct setting setting;
    struct error err = { 0 };
    char key_id[16];
    uint64_t number;

    begin(&setting, -3600); /* as instance metadata gives them when it is in trouble */
    CHECK(acquire(&setting, PATIENCE_US, key_id, &number, &err));
    atomic_store(&setting.source.fails, true);
    CHECK(acquire(&setting, PATIENCE_US, key_id, &number, &err));
    CHECK_STR(str_from_c(key_id), "KEY0");
    end(&setting);
}

static void rejected_ones_are_never_given_again(void)
{
    struct setting setting;
    struct error err = { 0 };
    char key_id[16];
    uint64_t number;

    begin(&setting, 3600);
    CHECK(acquire(&setting, PATIENCE_US, key_id, &number, &err));
    CHECK_STR(str_from_c(key_id), "KEY0");
    aws_session_reject(setting.session, number);
    CHECK(acquire(&setting, PATIENCE_US, key_id, &number, &err));
    CHECK_STR(str_from_c(key_id), "KEY1");
    aws_session_reject(setting.session, number - 1); /* of old: says nothing about these */
    CHECK(acquire(&setting, PATIENCE_US, key_id, &number, &err));
    CHECK_STR(str_from_c(key_id), "KEY1");

    aws_session_reject(setting.session, number);
    atomic_store(&setting.source.fails, true);
    CHECK(!acquire(&setting, PATIENCE_US, key_id, &number, &err));
    CHECK_STR(str_from_c(err.text), "container: answered 500, and not with JSON");
    aws_session_reject(setting.session, 1); /* nor do they become good by it */
    CHECK(!acquire(&setting, PATIENCE_US, key_id, &number, &err));
    atomic_store(&setting.source.fails, false);
    CHECK(acquire(&setting, PATIENCE_US, key_id, &number, &err));
    end(&setting);
}

static void a_provider_that_hangs_holds_nobody_beyond_the_deadline(void)
{
    struct setting setting;
    struct error err = { 0 };
    char key_id[16];
    uint64_t number;
    int64_t before = clock_monotonic_us();

    begin(&setting, 3600);
    atomic_store(&setting.source.hangs, true);
    CHECK(!acquire(&setting, 100000, key_id, &number, &err));
    CHECK_INT(err.code, ERR_UNREACHABLE);
    CHECK_STR(str_from_c(err.text), "no AWS credentials in time");
    end(&setting); /* and the thread ends at once */
    CHECK(clock_monotonic_us() - before < PATIENCE_US / 2);
}

static bool has_been_asked_again(void *self)
{
    return canned_requests(self) > 1;
}

static void a_provider_that_hangs_leaves_time_to_use_the_old_ones(void)
{
    const int64_t time_us = 1800000; /* shorter than the provider's own */
    struct setting setting;
    struct error err = { 0 };
    char key_id[16];
    uint64_t number;
    int64_t took_us;

    begin(&setting, 1);
    CHECK(acquire(&setting, PATIENCE_US, key_id, &number, &err));
    atomic_store(&setting.source.hangs, true);
    CHECK(wait_until(has_been_asked_again, setting.server)); /* in the background */
    do {
        took_us = clock_monotonic_us();
        CHECK(acquire(&setting, time_us, key_id, &number, &err));
        took_us = clock_monotonic_us() - took_us;
        CHECK_STR(str_from_c(key_id), "KEY0");
        CHECK(took_us < time_us);
    } while (took_us < time_us / 4); /* until it had to wait */
    end(&setting);
}

static void whoever_waits_can_be_interrupted(void)
{
    static const atomic_bool now = true;
    struct setting setting;
    struct error err = { 0 };
    struct aws_key key;

    begin(&setting, 3600);
    atomic_store(&setting.source.hangs, true);
    CHECK(!aws_session_acquire(setting.session,
                               &(struct aws_wait){ clock_monotonic_us() + PATIENCE_US, &now }, &key,
                               &err));
    aws_session_wake(setting.session);
    end(&setting);
}

static void the_chain_ends_with_what_was_looked_for(void)
{
    struct world world;
    struct aws_session *session;
    struct error err = { 0 };
    const char *source;

    world_init(&world, NULL);
    world_set(&world, "AWS_EC2_METADATA_DISABLED", "true");
    CHECK(aws_session_create(&(struct aws_session_options){ 0 }, &session, &err));
    CHECK(!aws_session_check(session, clock_monotonic_us() + PATIENCE_US, &source, &err));
    CHECK_STR(str_from_c(err.text),
              "no AWS credentials in the environment, the profile \"default\", web identity, "
              "container or instance metadata");
    aws_session_destroy(session);
    world_done(&world);
}

static void the_first_provider_counts(void)
{
    static const struct {
        const char *name;
        const char *profile; /* of the configuration */
        const char *key;     /* in the environment */
        const char *source;  /* NULL: none */
        const char *text;
    } cases[] = {
        { "the environment before the profile", "", "ENV", "environment", "" },
        { "a configured profile before the environment", "dev", "ENV", "profile", "" },
        { "a broken profile is not passed over", "half", "", NULL,
          "profile: half: aws_access_key_id without aws_secret_access_key" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct world world;
        struct aws_session *session;
        struct error err = { 0 };
        const char *source = "";

        TEST_CASE(cases[i].name);
        world_init(&world, NULL);
        world_write(&world, ".aws/credentials",
                    "[dev]\naws_access_key_id = DEV\naws_secret_access_key = s\n"
                    "[half]\naws_access_key_id = HALF\n");
        world_set(&world, "AWS_ACCESS_KEY_ID", cases[i].key);
        world_set(&world, "AWS_SECRET_ACCESS_KEY", "s");
        world_set(&world, "AWS_EC2_METADATA_DISABLED", "true");
        CHECK(aws_session_create(&(struct aws_session_options){ .profile = cases[i].profile },
                                 &session, &err));
        CHECK(aws_session_check(session, clock_monotonic_us() + PATIENCE_US, &source, &err) ==
              (cases[i].source != NULL));
        if (cases[i].source)
            CHECK_STR(str_from_c(source), cases[i].source);
        CHECK_STR(str_from_c(err.text), cases[i].text);
        aws_session_destroy(session);
        world_done(&world);
    }
}

#define STS_ANSWER                                                                                 \
    WORLD_JSON("{\"AssumeRoleResponse\":{\"AssumeRoleResult\":{\"Credentials\":{"                  \
               "\"AccessKeyId\":\"ROLE\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\","        \
               "\"Expiration\":4102444800}}}}")

#define STS_REFUSAL                                                                                \
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"        \
    "{\"Error\":{\"Code\":\"AccessDenied\",\"Message\":\"no\"}}"

/* The role of a session is assumed with the credentials of the chain. */
static void a_session_assumes_its_role(void)
{
    static const struct {
        const char *name;
        const char *key; /* in the environment */
        const char *answer;
        const char *text; /* "": it works */
    } cases[] = {
        { "a role", "ENV", STS_ANSWER, "" },
        { "a role that is denied", "ENV", STS_REFUSAL,
          "arn:aws:iam::123456789012:role/a/b: AssumeRole: STS answered 403 AccessDenied" },
        { "no credentials to assume it", "", STS_ANSWER,
          "no AWS credentials in the environment, the profile \"default\", web identity, "
          "container or instance metadata" },
    };
    static const struct aws_session_options options = { .role_arn =
                                                            "arn:aws:iam::123456789012:role/a/b" };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct world_answer answers[] = { { "POST /", cases[i].answer }, { NULL, NULL } };
        struct world world;
        struct aws_session *session;
        struct error err = { 0 };
        const char *source = "";
        bool good = !*cases[i].text;

        TEST_CASE(cases[i].name);
        world_init(&world, answers);
        world_set(&world, "AWS_ACCESS_KEY_ID", cases[i].key);
        world_set(&world, "AWS_SECRET_ACCESS_KEY", "s");
        world_set(&world, "AWS_REGION", "eu-west-1");
        world_set(&world, "AWS_EC2_METADATA_DISABLED", "true");
        world_set(&world, "AWS_ENDPOINT_URL_STS", "%U");
        CHECK(aws_session_create(&options, &session, &err));
        CHECK(aws_session_check(session, clock_monotonic_us() + PATIENCE_US, &source, &err) ==
              good);
        CHECK_STR(str_from_c(err.text), cases[i].text);
        world_stop(&world);
        if (good) {
            CHECK_STR(str_from_c(source), "role");
            CHECK_INT(aws_session_credential_expiry(session), 4102444800);
            CHECK(strstr(world.seen, "Credential=ENV/") != NULL);
            CHECK(strstr(world.seen, "Action=AssumeRole&Version=2011-06-15&RoleArn="
                                     "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fa%2Fb&"
                                     "RoleSessionName=sluice\n") != NULL);
        }
        aws_session_destroy(session);
        world_done(&world);
    }
}

int main(void)
{
    struct error err = { 0 };

    CHECK(fetch_init(&err));
    RUN(credentials_without_an_end_are_asked_for_once);
    RUN(many_at_once_cause_one_request);
    RUN(new_ones_come_ahead_of_the_end_by_themselves);
    RUN(old_ones_are_given_while_there_are_no_others);
    RUN(rejected_ones_are_never_given_again);
    RUN(a_provider_that_hangs_holds_nobody_beyond_the_deadline);
    RUN(a_provider_that_hangs_leaves_time_to_use_the_old_ones);
    RUN(whoever_waits_can_be_interrupted);
    RUN(the_chain_ends_with_what_was_looked_for);
    RUN(the_first_provider_counts);
    RUN(a_session_assumes_its_role);
    return test_end();
}
