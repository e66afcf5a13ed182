/*
 * test_provider_profile.c - claims about the profile as a source of credentials.
 */
#include "base/fetch.h"
#include "tests/unit/aws_world.h"
#include "tests/unit/test.h"

#define STS_ANSWER(key)                                                                            \
    WORLD_JSON("{\"AssumeRoleResponse\":{\"AssumeRoleResult\":{\"Credentials\":{"                  \
               "\"AccessKeyId\":\"" key "\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\","     \
               "\"Expiration\":1795629600.0}}}}")
#define WEB_ANSWER                                                                                 \
    WORLD_JSON("{\"AssumeRoleWithWebIdentityResponse\":{\"AssumeRoleWithWebIdentityResult\":{"     \
               "\"Credentials\":{\"AccessKeyId\":\"WEB\",\"SecretAccessKey\":\"s\","               \
               "\"SessionToken\":\"t\",\"Expiration\":1795629600.0}}}}")

static const struct world_answer sts[] = { { "POST /", STS_ANSWER("ROLE") }, { NULL, NULL } };
static const struct world_answer web[] = { { "POST /", WEB_ANSWER }, { NULL, NULL } };
static const struct world_answer denied[] = {
    { "POST /", "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n"
                "{\"Error\":{\"Code\":\"AccessDenied\",\"Message\":\"arn of somebody\"}}" },
    { NULL, NULL },
};
static const struct world_answer strange[] = { { "POST /", WORLD_JSON("{\"a\":1}") },
                                               { NULL, NULL } };
static const struct world_answer no_json[] = { { "POST /", WORLD_JSON("<xml/>") }, { NULL, NULL } };

#define KEYS "aws_access_key_id = AKID\naws_secret_access_key = s\n"

static const struct profile_case {
    const char *name;
    const char *config;
    const struct world_answer *answers;
    const char *key_id; /* NULL: none */
    const char *text;   /* of the error; "": the profile says nothing */
} cases[] = {
    { "keys", "[default]\n" KEYS, NULL, "AKID", "" },
    { "nothing", "[default]\nregion = x\n", NULL, NULL, "" },
    { "half a key", "[default]\naws_access_key_id = A\n", NULL, NULL,
      "default: aws_access_key_id without aws_secret_access_key" },
    { "a role", "[default]\nrole_arn = arn:r\nsource_profile = b\n[profile b]\n" KEYS, sts, "ROLE",
      "" },
    { "a role of its own keys", "[default]\nrole_arn = arn:r\nsource_profile = default\n" KEYS, sts,
      "ROLE", "" },
    { "a role by a role",
      "[default]\nrole_arn = r1\nsource_profile = b\n[profile b]\nrole_arn = r2\n"
      "source_profile = c\n[profile c]\n" KEYS,
      sts, "ROLE", "" },
    { "a circle",
      "[default]\nrole_arn = r1\nsource_profile = b\n[profile b]\nrole_arn = r2\n"
      "source_profile = default\n",
      sts, NULL, "default: profiles that assume roles with one another in a circle" },
    { "itself without keys", "[default]\nrole_arn = r\nsource_profile = default\n", sts, NULL,
      "default: profiles that assume roles with one another in a circle" },
    { "a source that is not there", "[default]\nrole_arn = r\nsource_profile = x\n", sts, NULL,
      "default: source_profile is not there" },
    { "a source without anything", "[default]\nrole_arn = r\nsource_profile = b\n[profile b]\n",
      sts, NULL, "b: no credentials" },
    { "a role without a source", "[default]\nrole_arn = r\n" KEYS, sts, NULL,
      "default: role_arn without source_profile or credential_source" },
    { "two sources",
      "[default]\nrole_arn = r\nsource_profile = b\ncredential_source = Environment\n", sts, NULL,
      "default: both source_profile and credential_source" },
    { "a code is wanted", "[default]\nrole_arn = r\nsource_profile = b\nmfa_serial = m\n", sts,
      NULL, "default: mfa_serial: there is nobody to ask for a code" },
    { "the environment is empty", "[default]\nrole_arn = r\ncredential_source = Environment\n", sts,
      NULL, "default: credential_source has no credentials" },
    { "an unknown source", "[default]\nrole_arn = r\ncredential_source = Sky\n", sts, NULL,
      "default: credential_source: expected Environment, Ec2InstanceMetadata or EcsContainer" },
    { "the role is denied", "[default]\nrole_arn = r\nsource_profile = default\n" KEYS, denied,
      NULL, "default: AssumeRole: STS answered 403 AccessDenied" },
    { "a strange answer", "[default]\nrole_arn = r\nsource_profile = default\n" KEYS, strange, NULL,
      "default: STS answered without AssumeRoleResponse" },
    { "no JSON", "[default]\nrole_arn = r\nsource_profile = default\n" KEYS, no_json, NULL,
      "default: STS: answered 200, and not with JSON" },
    { "web identity", "[default]\nrole_arn = r\nweb_identity_token_file = %H/token\n", web, "WEB",
      "" },
    { "web identity without a role", "[default]\nweb_identity_token_file = %H/token\n", web, NULL,
      "default: web_identity_token_file without role_arn" },
    { "a program",
      "[default]\ncredential_process = echo "
      "'{\"Version\":1,\"AccessKeyId\":\"PROC\",\"SecretAccessKey\":\"s\"}'\n",
      NULL, "PROC", "" },
    { "a program of another version", "[default]\ncredential_process = echo '{\"Version\":2}'\n",
      NULL, NULL, "default: credential_process: expected \"Version\": 1" },
    { "a program without JSON", "[default]\ncredential_process = echo hello\n", NULL, NULL,
      "default: credential_process: it printed no JSON" },
    { "a program that fails", "[default]\ncredential_process = false\n", NULL, NULL,
      "default: credential_process: it ended with status 1" },
    { "a program without keys", "[default]\ncredential_process = echo '{\"Version\":1}'\n", NULL,
      NULL, "default: credential_process: AccessKeyId: expected a text" },
    { "SSO", "[default]\nsso_session = x\n", NULL, NULL,
      "default: a login with SSO needs a person; use credential_process = aws configure "
      "export-credentials --profile PROFILE" },
    { "a broken file", "[default]\nx\n", NULL, NULL, NULL },
};

static void a_profile_gives_credentials_or_says_why_not(void)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_credentials found = { 0 };
        struct error err = { 0 };
        struct world world;

        TEST_CASE(cases[i].name);
        world_init(&world, cases[i].answers);
        world_write(&world, ".aws/config", cases[i].config);
        world_write(&world, "token", "the-token\n");
        world_set(&world, "AWS_ENDPOINT_URL_STS", "%U");

        enum aws_found result = world_ask(&world, &aws_provider_profile, &found, &err);

        if (cases[i].key_id) {
            CHECK_INT(result, AWS_FOUND);
            CHECK_STR(found.key_id, cases[i].key_id);
        } else {
            CHECK_INT(result, cases[i].text && !*cases[i].text ? AWS_ABSENT : AWS_BROKEN);
        }
        if (cases[i].text)
            CHECK_STR(str_from_c(err.text), cases[i].text);
        aws_credentials_done(&found);
        world_done(&world);
    }
}

static void a_role_is_asked_for_as_the_profile_says(void)
{
    static const char *const parts[] = {
        "POST / HTTP/1.1\r\n",
        "\r\nAccept: application/json\r\n",
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&",
        "&RoleSessionName=me&ExternalId=a%2Fb&DurationSeconds=900\n",
        "Credential=AKID/",
        "/us-east-1/sts/aws4_request",
    };
    struct aws_credentials found = { 0 };
    struct error err = { 0 };
    struct world world;

    world_init(&world, sts);
    world_write(&world, ".aws/config",
                "[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n"
                "role_session_name = me\nexternal_id = a/b\nduration_seconds = 900\n" KEYS);
    world_set(&world, "AWS_ENDPOINT_URL_STS", "%U");
    CHECK_INT(world_ask(&world, &aws_provider_profile, &found, &err), AWS_FOUND);
    CHECK_INT(found.expires_us, 1795629600000000);
    CHECK_STR(found.token, "t");
    world_stop(&world);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        TEST_CASE(parts[i]);
        CHECK(strstr(world.seen, parts[i]) != NULL);
    }
    aws_credentials_done(&found);
    world_done(&world);
}

static void a_role_with_the_environments_key(void)
{
    struct aws_credentials found = { 0 };
    struct error err = { 0 };
    struct world world;

    world_init(&world, sts);
    world_write(&world, ".aws/config",
                "[default]\nrole_arn = r\ncredential_source = Environment\n");
    world_set(&world, "AWS_ENDPOINT_URL_STS", "%U");
    world_set(&world, "AWS_ACCESS_KEY_ID", "ENV");
    world_set(&world, "AWS_SECRET_ACCESS_KEY", "s");
    CHECK_INT(world_ask(&world, &aws_provider_profile, &found, &err), AWS_FOUND);
    CHECK_STR(found.key_id, "ROLE");
    world_stop(&world);
    CHECK(strstr(world.seen, "Credential=ENV/") != NULL);
    aws_credentials_done(&found);
    world_done(&world);
}

int main(void)
{
    struct error err = { 0 };

    CHECK(fetch_init(&err));
    RUN(a_profile_gives_credentials_or_says_why_not);
    RUN(a_role_is_asked_for_as_the_profile_says);
    RUN(a_role_with_the_environments_key);
    return test_end();
}
