/*
 * test_vault.c - claims about base/vault.h, and about secret.h for names of it.
 */
#include "base/vault.h"

#include "base/secret.h"
#include "tests/unit/test.h"

static void only_variables_and_arns_are_names(void)
{
    CHECK(vault_is_name("env:KEY"));
    CHECK(vault_is_name("arn:aws:secretsmanager:eu-west-1:1:secret:a#b"));
    CHECK(!vault_is_name("/run/secrets/key"));
    CHECK(!vault_is_name("environment"));
    CHECK(!vault_is_name(""));
}

static void the_last_secret_counts(void)
{
    struct str secret;

    CHECK(!vault_get("env:A", &secret));
    CHECK_INT((int64_t)vault_version("env:A"), 0);
    vault_put("env:A", STR("one"));
    vault_put("env:B", STR("other"));
    vault_put("env:A", STR("two"));
    CHECK(vault_get("env:A", &secret));
    CHECK_STR(secret, "two");
    secret_free(secret);
    CHECK_INT((int64_t)vault_version("env:A"), 2);
    CHECK_INT((int64_t)vault_version("env:B"), 1);
}

static void the_same_secret_is_no_change(void)
{
    struct file_stamp before;
    struct file_stamp after;

    vault_put("env:C", STR("same"));
    before = secret_stamp("env:C");
    vault_put("env:C", STR("same"));
    after = secret_stamp("env:C");
    CHECK(file_stamp_equal(&before, &after));
    vault_put("env:C", STR("another"));
    after = secret_stamp("env:C");
    CHECK(!file_stamp_equal(&before, &after));
}

static void secrets_are_read_by_name(void)
{
    struct error err = { 0 };
    struct str secret;

    vault_put("env:D", STR("line\nsecond"));
    CHECK(secret_read_file("env:D", &secret, &err));
    CHECK_STR(secret, "line");
    secret_free(secret);
    CHECK(secret_read("env:D", &secret, &err));
    CHECK_STR(secret, "line\nsecond");
    secret_free(secret);
    CHECK(!secret_read_file("env:NONE", &secret, &err));
    CHECK_STR(str_from_c(err.text), "env:NONE: no such secret");
    CHECK_INT(err.code, ERR_CONFIG);
}

int main(void)
{
    RUN(only_variables_and_arns_are_names);
    RUN(the_last_secret_counts);
    RUN(the_same_secret_is_no_change);
    RUN(secrets_are_read_by_name);
    return test_end();
}
