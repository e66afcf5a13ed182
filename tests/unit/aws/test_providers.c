/*
 * test_providers.c - claims about the providers that are not the profile: environment, web
 * identity, container, instance metadata.
 */
#include "base/fetch.h"
#include "tests/unit/aws_world.h"
#include "tests/unit/test.h"

#define CREDENTIALS                                                                                \
    WORLD_JSON("{\"Code\":\"Success\",\"AccessKeyId\":\"FOUND\",\"SecretAccessKey\":\"s\","        \
               "\"Token\":\"t\",\"Expiration\":\"2026-11-25T18:00:00Z\"}")
#define WEB_ANSWER                                                                                 \
    WORLD_JSON("{\"AssumeRoleWithWebIdentityResponse\":{\"AssumeRoleWithWebIdentityResult\":{"     \
               "\"Credentials\":{\"AccessKeyId\":\"FOUND\",\"SecretAccessKey\":\"s\","             \
               "\"SessionToken\":\"t\",\"Expiration\":1795629600.0}}}}")
#define TEXT(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body

#define ROLES "/latest/meta-data/iam/security-credentials/"

static const struct world_answer container[] = { { "GET /creds", CREDENTIALS }, { NULL, NULL } };
static const struct world_answer broken[] = { { "GET /creds", WORLD_REFUSE("500 Oops") },
                                              { NULL, NULL } };
static const struct world_answer page[] = { { "GET /creds", WORLD_JSON("<html>") },
                                            { NULL, NULL } };
static const struct world_answer web[] = { { "POST /", WEB_ANSWER }, { NULL, NULL } };
static const struct world_answer metadata[] = {
    { "PUT /latest/api/token ", TEXT("the token") },
    { "GET " ROLES "my%20role ", CREDENTIALS },
    { "GET " ROLES " ", TEXT("my role\nanother\n") },
    { NULL, NULL },
};
static const struct world_answer no_role[] = { { "PUT /latest/api/token ", TEXT("the token") },
                                               { NULL, NULL } };
static const struct world_answer no_token[] = {
    { "PUT /latest/api/token ", WORLD_REFUSE("403 Forbidden") }, { NULL, NULL }
};
static const struct world_answer failed_role[] = {
    { "PUT /latest/api/token ", TEXT("the token") },
    { "GET " ROLES "r ", WORLD_JSON("{\"Code\":\"AssumeRoleUnauthorizedAccess\"}") },
    { "GET " ROLES " ", TEXT("r") },
    { NULL, NULL },
};

struct variable {
    const char *name;
    const char *value;
};

#define FULL_URI "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define METADATA "AWS_EC2_METADATA_SERVICE_ENDPOINT"
#define TOKEN    "AWS_CONTAINER_AUTHORIZATION_TOKEN"

static const struct provider_case {
    const char *name;
    const struct aws_provider *provider;
    struct variable variables[3];
    const struct world_answer *answers;
    enum aws_found found;
    const char *text; /* of the error, or what the server saw */
} cases[] = {
    { "no key", &aws_provider_environment, { { 0 } }, NULL, AWS_ABSENT, "" },
    { "a key",
      &aws_provider_environment,
      { { "AWS_ACCESS_KEY_ID", "FOUND" },
        { "AWS_SECRET_ACCESS_KEY", "s" },
        { "AWS_SESSION_TOKEN", "t" } },
      NULL,
      AWS_FOUND,
      "" },
    { "half a key",
      &aws_provider_environment,
      { { "AWS_ACCESS_KEY_ID", "FOUND" } },
      NULL,
      AWS_BROKEN,
      "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not" },
    { "no web identity",
      &aws_provider_web_identity,
      { { "AWS_ROLE_ARN", "r" } },
      web,
      AWS_ABSENT,
      "" },
    { "web identity",
      &aws_provider_web_identity,
      { { "AWS_ROLE_ARN", "r" },
        { "AWS_WEB_IDENTITY_TOKEN_FILE", "%H/token" },
        { "AWS_ENDPOINT_URL_STS", "%U" } },
      web,
      AWS_FOUND,
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=r&RoleSessionName=sluice&"
      "WebIdentityToken=eyJ.a%2Bb\n" },
    { "web identity without a role",
      &aws_provider_web_identity,
      { { "AWS_WEB_IDENTITY_TOKEN_FILE", "%H/token" } },
      web,
      AWS_BROKEN,
      "AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not" },
    { "no container", &aws_provider_container, { { TOKEN, "x" } }, container, AWS_ABSENT, "" },
    { "a container",
      &aws_provider_container,
      { { FULL_URI, "%U/creds?a=b" }, { TOKEN, "Basic x" } },
      container,
      AWS_FOUND,
      "\r\nAuthorization: Basic x\r\n" },
    { "its token in a file",
      &aws_provider_container,
      { { FULL_URI, "%U/creds" },
        { "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "%H/token" },
        { TOKEN, "not this" } },
      container,
      AWS_FOUND,
      "\r\nAuthorization: eyJ.a+b\r\n" },
    { "no token",
      &aws_provider_container,
      { { FULL_URI, "%U/creds" } },
      container,
      AWS_FOUND,
      "GET /creds HTTP/1.1\r\n" },
    { "a token of two lines",
      &aws_provider_container,
      { { FULL_URI, "%U/creds" }, { TOKEN, "a\r\nX: b" } },
      container,
      AWS_BROKEN,
      "AWS_CONTAINER_AUTHORIZATION_TOKEN: expected one line" },
    { "plain HTTP to anybody",
      &aws_provider_container,
      { { FULL_URI, "http://192.0.2.1/creds" } },
      container,
      AWS_BROKEN,
      FULL_URI ": http is for this machine, ECS and EKS" },
    { "a name that looks like us",
      &aws_provider_container,
      { { FULL_URI, "http://127.0.0.1.example.invalid/" } },
      container,
      AWS_BROKEN,
      FULL_URI ": http is for this machine, ECS and EKS" },
    { "no URL",
      &aws_provider_container,
      { { FULL_URI, "creds" } },
      container,
      AWS_BROKEN,
      FULL_URI ": expected a URL" },
    { "no path",
      &aws_provider_container,
      { { "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@192.0.2.1/" } },
      container,
      AWS_BROKEN,
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: expected a path" },
    { "a container that fails",
      &aws_provider_container,
      { { FULL_URI, "%U/creds" } },
      broken,
      AWS_BROKEN,
      "answered 500, and not with JSON" },
    { "a container with a page",
      &aws_provider_container,
      { { FULL_URI, "%U/creds" } },
      page,
      AWS_BROKEN,
      "answered 200, and not with JSON" },
    { "metadata",
      &aws_provider_metadata,
      { { METADATA, "%U/" } },
      metadata,
      AWS_FOUND,
      "\r\nX-aws-ec2-metadata-token: the token\r\n" },
    { "no metadata, please",
      &aws_provider_metadata,
      { { METADATA, "%U" }, { "AWS_EC2_METADATA_DISABLED", "True" } },
      metadata,
      AWS_ABSENT,
      "" },
    { "no role", &aws_provider_metadata, { { METADATA, "%U" } }, no_role, AWS_ABSENT, "" },
    { "version 1 only",
      &aws_provider_metadata,
      { { METADATA, "%U" } },
      no_token,
      AWS_BROKEN,
      "it gives no session token, it answered 403" },
    { "nobody there",
      &aws_provider_metadata,
      { { METADATA, "http://127.0.0.1:1" } },
      NULL,
      AWS_BROKEN,
      "cannot connect: Connection refused" },
    { "a role that does not work",
      &aws_provider_metadata,
      { { METADATA, "%U" } },
      failed_role,
      AWS_BROKEN,
      "AccessKeyId: expected a text" },
};

static void each_provider_finds_credentials_or_says_why_not(void)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_credentials found = { 0 };
        struct error err = { 0 };
        struct world world;

        TEST_CASE(cases[i].name);
        world_init(&world, cases[i].answers);
        world_write(&world, "token", "eyJ.a+b\n");
        for (size_t j = 0; j < COUNT_OF(cases[i].variables) && cases[i].variables[j].name; j++)
            world_set(&world, cases[i].variables[j].name, cases[i].variables[j].value);
        CHECK_INT(world_ask(&world, cases[i].provider, &found, &err), cases[i].found);
        world_stop(&world);
        if (cases[i].found == AWS_FOUND) {
            CHECK_STR(found.key_id, "FOUND");
            CHECK_STR(found.token, "t");
            CHECK(strstr(world.seen, cases[i].text) != NULL);
        } else if (cases[i].found == AWS_BROKEN) {
            CHECK_STR(str_from_c(err.text), cases[i].text);
        } else {
            CHECK_STR(str_from_c(err.text), "");
        }
        aws_credentials_done(&found);
        world_done(&world);
    }
}

static void metadata_knows_no_proxy(void)
{
    struct aws_credentials found = { 0 };
    struct error err = { 0 };
    struct world world;

    world_init(&world, metadata);
    world_set(&world, METADATA, "%U");
    world_set(&world, "http_proxy", "http://127.0.0.1:1");
    world_set(&world, "ALL_PROXY", "http://127.0.0.1:1");
    CHECK_INT(world_ask(&world, &aws_provider_metadata, &found, &err), AWS_FOUND);
    aws_credentials_done(&found);
    world_set(&world, "http_proxy", "");
    world_set(&world, "ALL_PROXY", "");
    world_done(&world);
}

int main(void)
{
    struct error err = { 0 };

    CHECK(fetch_init(&err));
    RUN(each_provider_finds_credentials_or_says_why_not);
    RUN(metadata_knows_no_proxy);
    return test_end();
}
