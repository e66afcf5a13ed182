/*
 * test_profile.c - claims about aws/profile.h.
 */
#include "aws/profile.h"

#include "base/attr.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"

static const char config[] = "\xEF\xBB\xBF# a comment\n"
                             "; another one\n"
                             "\n"
                             "[default]\n"
                             "region = eu-west-1\n"
                             "s3 =\n"
                             "  max_concurrent_requests = 20\n"
                             "  region = nested\n"
                             "output=json\r\n"
                             "[profile dev]  # the one for tests\n"
                             "Region=us-east-1   ; here\n"
                             "role_arn = arn:aws:iam::1:role/a#b;c\n"
                             "empty =\n"
                             "endpoint_url = http://one\n"
                             "endpoint_url = http://two\n"
                             "services = local\n"
                             "[profile \"with blanks\"]\n"
                             "region = q\n"
                             "[ profile  padded ]\n"
                             "region = p\n"
                             "[services local]\n"
                             "glue =\n"
                             "  endpoint_url = http://127.0.0.1:1\n"
                             "sts =\n"
                             "\tendpoint_url = http://127.0.0.1:2\n"
                             "[sso-session x]\n"
                             "sso_region = z\n"
                             "[dev]\n"
                             "region = a section of no kind\n"
                             "[default]\n"
                             "more = yes";

static void what_is_written_is_found(void)
{
    static const struct {
        const char *profile;
        const char *property;
        const char *value;
    } cases[] = {
        { "default", "region", "eu-west-1" },
        { "default", "output", "json" },
        { "default", "s3", "" },
        { "default", "max_concurrent_requests", "" },
        { "default", "more", "yes" },
        { "dev", "region", "us-east-1" },
        { "dev", "role_arn", "arn:aws:iam::1:role/a#b;c" },
        { "dev", "empty", "" },
        { "dev", "endpoint_url", "http://two" },
        { "dev", "nothing", "" },
        { "with blanks", "region", "q" },
        { "padded", "region", "p" },
        { "local", "endpoint_url", "" },
        { "x", "sso_region", "" },
        { "nobody", "region", "" },
    };
    struct aws_profiles *profiles = aws_profiles_create();
    struct error err = { 0 };

    CHECK(aws_profiles_add(profiles, str_from_c(config), AWS_CONFIG_FILE, "config", &err));
    CHECK_STR(str_from_c(err.text), "");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].property);
        CHECK_STR(str_from_c(aws_profiles_get(profiles, cases[i].profile, cases[i].property)),
                  cases[i].value);
    }
    CHECK(aws_profiles_has(profiles, "dev"));
    CHECK(!aws_profiles_has(profiles, "local"));
    CHECK(!aws_profiles_has(profiles, "nobody"));
    CHECK_STR(str_from_c(aws_profiles_service_endpoint(profiles, "dev", "glue")),
              "http://127.0.0.1:1");
    CHECK_STR(str_from_c(aws_profiles_service_endpoint(profiles, "dev", "sts")),
              "http://127.0.0.1:2");
    CHECK_STR(str_from_c(aws_profiles_service_endpoint(profiles, "dev", "s3")), "");
    CHECK_STR(str_from_c(aws_profiles_service_endpoint(profiles, "default", "glue")), "");
    aws_profiles_destroy(profiles);
}

static void the_file_that_comes_last_counts(void)
{
    static const char first[] = "[default]\naws_access_key_id = A\nregion = eu-west-1\n"
                                "[profile dev]\naws_access_key_id = B\n";
    static const char second[] = "[default]\naws_access_key_id = C\n[dev]\nregion = x\n"
                                 "[profile dev]\nregion = y\n";
    struct folder folder;
    char path[FOLDER_PATH_SIZE];
    struct aws_profiles *profiles = aws_profiles_create();
    struct error err = { 0 };

    folder_init(&folder);
    folder_write(&folder, "config", str_from_c(first));
    folder_write(&folder, "credentials", str_from_c(second));
    folder_path(&folder, "config", path);
    CHECK(aws_profiles_add_file(profiles, path, AWS_CONFIG_FILE, &err));
    folder_path(&folder, "credentials", path);
    CHECK(aws_profiles_add_file(profiles, path, AWS_CREDENTIALS_FILE, &err));
    CHECK_STR(str_from_c(aws_profiles_get(profiles, "default", "aws_access_key_id")), "C");
    CHECK_STR(str_from_c(aws_profiles_get(profiles, "default", "region")), "eu-west-1");
    CHECK_STR(str_from_c(aws_profiles_get(profiles, "dev", "aws_access_key_id")), "B");
    CHECK_STR(str_from_c(aws_profiles_get(profiles, "dev", "region")), "x");
    CHECK_STR(str_from_c(aws_profiles_get(profiles, "profile dev", "region")), "y");
    aws_profiles_destroy(profiles);
    folder_done(&folder);
}

static void a_file_that_is_not_there_says_nothing(void)
{
    struct aws_profiles *profiles = aws_profiles_create();
    struct folder folder;
    struct error err = { 0 };

    folder_init(&folder);
    CHECK(aws_profiles_add_file(profiles, "/nonexistent/x", AWS_CONFIG_FILE, &err));
    CHECK(!aws_profiles_has(profiles, "default"));
    CHECK(!aws_profiles_add_file(profiles, folder.path, AWS_CONFIG_FILE, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    folder_done(&folder);
    aws_profiles_destroy(profiles);
}

static void what_is_wrong_is_told_with_its_line(void)
{
    static const struct {
        const char *name;
        struct str text;
        const char *error;
    } cases[] = {
        { "no section yet", STR_INIT("region = x\n"),
          "file:1: it stands before the first section" },
        { "no equals sign", STR_INIT("[default]\n\nregion\n"),
          "file:3: neither a section nor NAME = VALUE" },
        { "no name", STR_INIT("[default]\n= x\n"), "file:2: neither a section nor NAME = VALUE" },
        { "an open section", STR_INIT("[default\n"), "file:1: a section without ]" },
        { "a NUL", STR_INIT("[default]\n\0"), "file: not a text" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_profiles *profiles = aws_profiles_create();
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        CHECK(!aws_profiles_add(profiles, cases[i].text, AWS_CONFIG_FILE, "file", &err));
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK_STR(str_from_c(err.text), cases[i].error);
        aws_profiles_destroy(profiles);
    }
}

static void odd_files_are_read(void)
{
    static const char *const cases[] = { "",
                                         "\n\n\n",
                                         "[]",
                                         "[profile]",
                                         "[profile ]\na=b",
                                         "[a]\n =x",
                                         "[a]\nb=\n c=d\n  e\n",
                                         "  \t",
                                         "#",
                                         "[a]#",
                                         "[default]\na=b\n more" };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_profiles *profiles = aws_profiles_create();
        struct error err = { 0 };

        TEST_CASE(cases[i]);
        if (aws_profiles_add(profiles, str_from_c(cases[i]), AWS_CONFIG_FILE, "file", &err))
            CHECK_INT(err.code, ERR_NONE);
        else
            CHECK_INT(err.code, ERR_CONFIG);
        CHECK_STR(str_from_c(aws_profiles_get(profiles, "nobody", "a")), "");
        aws_profiles_destroy(profiles);
    }
}

int main(void)
{
    RUN(what_is_written_is_found);
    RUN(the_file_that_comes_last_counts);
    RUN(a_file_that_is_not_there_says_nothing);
    RUN(what_is_wrong_is_told_with_its_line);
    RUN(odd_files_are_read);
    return test_end();
}
