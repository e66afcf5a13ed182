/*
 * test_webhook.c - signatures of Standard Webhooks: the published example, rotation, bad files
 */
#include "delivery/sinks/webhook.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"

/* The example of the specification's libraries. */
#define SECRET    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
/* By Python's hmac, for the same message. */
#define OTHER_SECRET    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
#define OTHER_SIGNATURE "v1,/485aUtxlie+TIScVpHggMfqOB4so2KWb7+Gf727B44="
#define FIVE_SECRETS    SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n"

static const struct webhook_message message = {
    .id = STR_INIT("msg_p5jXN8AQM9LWM0D4loKWxJek"),
    .at_s = 1614265330,
    .body = STR_INIT("{\"test\": 2432232314}"),
};

static struct folder folder;

/* Sign with a file of this content. */
static bool sign(const char *content, struct buf *out, struct error *err)
{
    char path[FOLDER_PATH_SIZE];

    folder_write(&folder, "secrets", str_from_c(content));
    folder_path(&folder, "secrets", path);
    return webhook_sign(path, &message, out, err);
}

static void each_secret_of_the_file_signs(void)
{
    static const struct {
        const char *name;
        const char *content;
        const char *signatures;
    } cases[] = {
        { "one", SECRET, SIGNATURE },
        { "one line", SECRET "\n", SIGNATURE },
        { "a line end from elsewhere", SECRET "\r\n", SIGNATURE },
        { "without its prefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", SIGNATURE },
        { "two", SECRET "\n" OTHER_SECRET "\n", SIGNATURE " " OTHER_SIGNATURE },
        { "an empty line", OTHER_SECRET "\n\n" SECRET, OTHER_SIGNATURE " " SIGNATURE },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(buf_done) struct buf out;
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        buf_init(&out, SIZE_MAX);
        CHECK(sign(cases[i].content, &out, &err));
        CHECK_STR(buf_str(&out), cases[i].signatures);
    }
}

static void a_file_without_secrets_is_refused(void)
{
    static const struct {
        const char *name;
        const char *content;
        const char *text; /* in the error */
    } cases[] = {
        { "empty", "", "there is no secret" },
        { "an empty line", "\n", "there is no secret" },
        { "no Base64", SECRET "\nwhsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaL-_-\n",
          "line 2 is not whsec_" },
        { "only the prefix", "whsec_", "line 1 is not whsec_" },
        { "too many", FIVE_SECRETS FIVE_SECRETS, "more than 8 secrets" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(buf_done) struct buf out;
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        buf_init(&out, SIZE_MAX);
        CHECK(!sign(cases[i].content, &out, &err));
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK(strstr(err.text, cases[i].text) && strstr(err.text, "/secrets: "));
        CHECK(!strstr(err.text, "MfKQ"));
    }
}

static void a_file_that_cannot_be_read_is_a_fault_of_the_configuration(void)
{
    CLEANUP(buf_done) struct buf out;
    struct error err = { 0 };

    buf_init(&out, SIZE_MAX);
    CHECK(!webhook_sign("/nowhere/secrets", &message, &out, &err));
    CHECK_INT(err.code, ERR_CONFIG);
}

int main(void)
{
    folder_init(&folder);
    RUN(each_secret_of_the_file_signs);
    RUN(a_file_without_secrets_is_refused);
    RUN(a_file_that_cannot_be_read_is_a_fault_of_the_configuration);
    folder_done(&folder);
    return test_end();
}
