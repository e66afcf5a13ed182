/*
 * test_config.c - claims about aws/config.h: which of several sources counts.
 */
#include "aws/config.h"

#include <stdio.h>

#include "tests/unit/aws_world.h"
#include "tests/unit/test.h"

static const char file_text[] = "[default]\n"
                                "region = eu-central-1\n"
                                "[profile dev]\n"
                                "region = us-east-2\n"
                                "ca_bundle = /etc/dev.pem\n"
                                "endpoint_url = http://dev\n"
                                "services = local\n"
                                "[services local]\n"
                                "sts =\n"
                                "  endpoint_url = http://dev-sts\n"
                                "[profile plain]\n"
                                "region = us-east-2\n"
                                "endpoint_url = http://dev\n"
                                "ignore_configured_endpoint_urls = true\n"
                                "[profile far]\n"
                                "region = cn-north-1\n"
                                "use_dualstack_endpoint = true\n"
                                "[profile fips]\n"
                                "region = us-gov-west-1\n"
                                "use_fips_endpoint = True\n";

struct variable {
    const char *name;
    const char *value;
};

static const struct choice {
    const char *name;
    struct variable variables[3];
    struct aws_session_options options;
    const char *profile;
    const char *region;
    const char *glue;
    const char *sts;
} choices[] = {
    { "nothing but the profile",
      { { 0 } },
      { 0 },
      "default",
      "eu-central-1",
      "https://glue.eu-central-1.amazonaws.com",
      "https://sts.eu-central-1.amazonaws.com" },
    { "AWS_DEFAULT_REGION",
      { { "AWS_DEFAULT_REGION", "eu-west-1" } },
      { 0 },
      "default",
      "eu-west-1",
      "https://glue.eu-west-1.amazonaws.com",
      "https://sts.eu-west-1.amazonaws.com" },
    { "AWS_REGION before it",
      { { "AWS_DEFAULT_REGION", "eu-west-1" }, { "AWS_REGION", "eu-west-2" } },
      { 0 },
      "default",
      "eu-west-2",
      "https://glue.eu-west-2.amazonaws.com",
      "https://sts.eu-west-2.amazonaws.com" },
    { "an empty variable says nothing",
      { { "AWS_REGION", "" } },
      { 0 },
      "default",
      "eu-central-1",
      "https://glue.eu-central-1.amazonaws.com",
      "https://sts.eu-central-1.amazonaws.com" },
    { "the configuration before all",
      { { "AWS_REGION", "eu-west-2" } },
      { .region = "sa-east-1" },
      "default",
      "sa-east-1",
      "https://glue.sa-east-1.amazonaws.com",
      "https://sts.sa-east-1.amazonaws.com" },
    { "another profile",
      { { "AWS_PROFILE", "dev" } },
      { 0 },
      "dev",
      "us-east-2",
      "http://dev",
      "http://dev-sts" },
    { "a configured profile",
      { { "AWS_PROFILE", "dev" } },
      { .profile = "far" },
      "far",
      "cn-north-1",
      "https://glue.cn-north-1.api.amazonwebservices.com.cn",
      "https://sts.cn-north-1.api.amazonwebservices.com.cn" },
    { "FIPS",
      { { "AWS_PROFILE", "fips" } },
      { 0 },
      "fips",
      "us-gov-west-1",
      "https://glue-fips.us-gov-west-1.amazonaws.com",
      "https://sts.us-gov-west-1.amazonaws.com" },
    { "FIPS by variable",
      { { "AWS_USE_FIPS_ENDPOINT", "true" } },
      { 0 },
      "default",
      "eu-central-1",
      "https://glue-fips.eu-central-1.amazonaws.com",
      "https://sts-fips.eu-central-1.amazonaws.com" },
    { "AWS_ENDPOINT_URL",
      { { "AWS_ENDPOINT_URL", "http://all" }, { "AWS_PROFILE", "dev" } },
      { 0 },
      "dev",
      "us-east-2",
      "http://all",
      "http://all" },
    { "a service's before it",
      { { "AWS_ENDPOINT_URL", "http://all" }, { "AWS_ENDPOINT_URL_STS", "http://sts" } },
      { 0 },
      "default",
      "eu-central-1",
      "http://all",
      "http://sts" },
    { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
      { { "AWS_ENDPOINT_URL", "http://all" },
        { "AWS_PROFILE", "dev" },
        { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE" } },
      { .endpoint_url = "http://mine" },
      "dev",
      "us-east-2",
      "http://mine",
      "https://sts.us-east-2.amazonaws.com" },
    { "the profile ignores endpoint URLs",
      { { "AWS_PROFILE", "plain" } },
      { 0 },
      "plain",
      "us-east-2",
      "https://glue.us-east-2.amazonaws.com",
      "https://sts.us-east-2.amazonaws.com" },
    { "the configured endpoint is not for STS",
      { { 0 } },
      { .endpoint_url = "http://mine" },
      "default",
      "eu-central-1",
      "http://mine",
      "https://sts.eu-central-1.amazonaws.com" },
};

static struct str endpoint(const struct aws_config *config, enum aws_service service)
{
    return str_from_c(aws_config_endpoint(config, service, config->region, config->arena));
}

static void the_nearest_source_counts(void)
{
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        struct aws_config *config = NULL;
        struct error err = { 0 };
        struct world world;

        TEST_CASE(choices[i].name);
        world_init(&world, NULL);
        world_write(&world, ".aws/config", file_text);
        for (size_t j = 0; j < COUNT_OF(choices[i].variables) && choices[i].variables[j].name; j++)
            world_set(&world, choices[i].variables[j].name, choices[i].variables[j].value);
        CHECK(aws_config_create(&choices[i].options, &config, &err));
        CHECK_STR(str_from_c(err.text), "");
        CHECK_STR(str_from_c(config->profile), choices[i].profile);
        CHECK_STR(str_from_c(config->region), choices[i].region);
        CHECK_STR(endpoint(config, AWS_SERVICE_GLUE), choices[i].glue);
        CHECK_STR(endpoint(config, AWS_SERVICE_STS), choices[i].sts);
        aws_config_destroy(config);
        world_done(&world);
    }
}

/* Each service's endpoint from its variable, and from its key in the profile's services section. */
static void each_service_has_a_variable_and_a_key(void)
{
    static const struct {
        const char *variable;
        const char *key;
        enum aws_service service;
    } cases[] = {
        { "AWS_ENDPOINT_URL_GLUE", "glue", AWS_SERVICE_GLUE },
        { "AWS_ENDPOINT_URL_STS", "sts", AWS_SERVICE_STS },
        { "AWS_ENDPOINT_URL_KINESIS", "kinesis", AWS_SERVICE_KINESIS },
        { "AWS_ENDPOINT_URL_FIREHOSE", "firehose", AWS_SERVICE_FIREHOSE },
        { "AWS_ENDPOINT_URL_SQS", "sqs", AWS_SERVICE_SQS },
        { "AWS_ENDPOINT_URL_SNS", "sns", AWS_SERVICE_SNS },
        { "AWS_ENDPOINT_URL_EVENTBRIDGE", "eventbridge", AWS_SERVICE_EVENTBRIDGE },
        { "AWS_ENDPOINT_URL_DYNAMODB", "dynamodb", AWS_SERVICE_DYNAMODB },
        { "AWS_ENDPOINT_URL_S3", "s3", AWS_SERVICE_S3 },
        { "AWS_ENDPOINT_URL_SECRETS_MANAGER", "secrets_manager", AWS_SERVICE_SECRETS_MANAGER },
    };

    CHECK_INT(COUNT_OF(cases), AWS_SERVICE_COUNT);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_config *config = NULL;
        struct error err = { 0 };
        struct world world;
        char text[200];

        TEST_CASE(cases[i].key);
        world_init(&world, NULL);
        (void)snprintf(text, sizeof(text),
                       "[default]\nservices = local\n[services local]\n%s =\n"
                       "  endpoint_url = http://profile\n",
                       cases[i].key);
        world_write(&world, ".aws/config", text);
        CHECK(aws_config_create(&(struct aws_session_options){ 0 }, &config, &err));
        for (int j = 0; j < AWS_SERVICE_COUNT; j++)
            CHECK_STR(endpoint(config, (enum aws_service)j),
                      j == (int)cases[i].service ? "http://profile" : "");
        aws_config_destroy(config);

        world_set(&world, cases[i].variable, "http://variable");
        CHECK(aws_config_create(&(struct aws_session_options){ 0 }, &config, &err));
        CHECK_STR(endpoint(config, cases[i].service), "http://variable");
        aws_config_destroy(config);
        world_done(&world);
    }
}

static void files_are_where_variables_say(void)
{
    struct aws_config *config = NULL;
    struct error err = { 0 };
    struct world world;

    world_init(&world, NULL);
    world_write(&world, "c", "[profile dev]\nca_bundle = /a.pem\n");
    world_write(&world, "k", "[dev]\nregion = x-y-1\n");
    world_set(&world, "AWS_CONFIG_FILE", "~/c");
    world_set(&world, "AWS_SHARED_CREDENTIALS_FILE", "%H/k");
    world_set(&world, "AWS_PROFILE", "dev");
    CHECK(aws_config_create(&(struct aws_session_options){ 0 }, &config, &err));
    CHECK_STR(str_from_c(config->region), "x-y-1");
    CHECK_STR(str_from_c(config->ca_file), "/a.pem");
    CHECK(config->profile_is_chosen && !config->profile_is_configured);
    aws_config_destroy(config);

    world_set(&world, "AWS_CA_BUNDLE", "/b.pem");
    CHECK(aws_config_create(&(struct aws_session_options){ .profile = "dev" }, &config, &err));
    CHECK_STR(str_from_c(config->ca_file), "/b.pem");
    CHECK(config->profile_is_configured);
    aws_config_destroy(config);
    world_done(&world);
}

static void add_path(void *paths, const char *path)
{
    buf_printf(paths, "%s\n", path);
}

static void all_files_are_listed(void)
{
    struct buf paths;
    struct buf expected;
    struct world world;

    buf_init(&paths, 10000);
    buf_init(&expected, 10000);
    world_init(&world, NULL);
    world_write(&world, "k",
                "[dev]\nweb_identity_token_file = /w\nregion = r\n[other]\nca_bundle = /o.pem\n");
    world_set(&world, "AWS_SHARED_CREDENTIALS_FILE", "~/k");
    world_set(&world, "AWS_WEB_IDENTITY_TOKEN_FILE", "/t");
    world_set(&world, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/c");
    world_set(&world, "AWS_CA_BUNDLE", "/b.pem");
    aws_config_files(add_path, &paths);
    buf_printf(&expected, "%s/.aws/config\n%s/k\n/t\n/c\n/b.pem\n/w\n/o.pem\n%c", world.folder.path,
               world.folder.path, '\0');
    CHECK_STR(buf_str(&paths), expected.ptr);
    world_done(&world);
    buf_done(&paths);
    buf_done(&expected);
}

static void what_is_wrong_is_told(void)
{
    static const struct {
        const char *name;
        struct variable variable;
        struct aws_session_options options;
        const char *text;
    } cases[] = {
        { "no such profile",
          { "AWS_PROFILE", "nobody" },
          { 0 },
          "there is no AWS profile \"nobody\"" },
        { "configured, no such profile",
          { "AWS_PROFILE", "dev" },
          { .profile = "nobody" },
          "there is no AWS profile \"nobody\"" },
        { "no region", { "AWS_REGION", "EU west" }, { 0 }, "region: \"EU west\" is none" },
        { "no URL",
          { "AWS_ENDPOINT_URL_GLUE", "glue" },
          { 0 },
          "glue: endpoint: expected http[s]://HOST[:PORT]" },
        { "no role",
          { "AWS_REGION", "" },
          { .role_arn = "arn:aws:iam::1:user/x" },
          "role_arn: expected arn:aws:iam::ACCOUNT:role/NAME" },
        { "a role without a name",
          { "AWS_REGION", "" },
          { .role_arn = "arn:aws:iam::1:role/" },
          "role_arn: expected arn:aws:iam::ACCOUNT:role/NAME" },
        { "no URL either",
          { "AWS_REGION", "" },
          { .endpoint_url = "ftp://x" },
          "glue: endpoint: expected http[s]://HOST[:PORT]" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct aws_config *config = NULL;
        struct error err = { 0 };
        struct world world;

        TEST_CASE(cases[i].name);
        world_init(&world, NULL);
        world_write(&world, ".aws/config", file_text);
        world_set(&world, cases[i].variable.name, cases[i].variable.value);
        CHECK(!aws_config_create(&cases[i].options, &config, &err));
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK_STR(str_from_c(err.text), cases[i].text);
        world_done(&world);
    }
}

static void without_a_region_there_is_no_endpoint(void)
{
    struct aws_config *config = NULL;
    struct error err = { 0 };
    struct world world;

    world_init(&world, NULL);
    CHECK(aws_config_create(&(struct aws_session_options){ 0 }, &config, &err));
    CHECK_STR(str_from_c(config->region), "");
    CHECK_STR(endpoint(config, AWS_SERVICE_GLUE), "");
    aws_config_destroy(config);
    world_done(&world);
}

int main(void)
{
    RUN(the_nearest_source_counts);
    RUN(each_service_has_a_variable_and_a_key);
    RUN(files_are_where_variables_say);
    RUN(all_files_are_listed);
    RUN(what_is_wrong_is_told);
    RUN(without_a_region_there_is_no_endpoint);
    return test_end();
}
