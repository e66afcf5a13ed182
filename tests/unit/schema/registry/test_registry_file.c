/*
 * test_registry_file.c - claims about registry_file() and what all registries say.
 */
#include <sys/stat.h>

#include "base/attr.h"
#include "base/memory.h"
#include "schema/registry/registry.h"
#include "tests/unit/folder.h"
#include "tests/unit/test.h"

static struct folder folder;

static bool fetch(const char *registry, const char *schema, struct schema_definition *out,
                  struct error *err)
{
    struct registry files = registry_file(folder.path);
    bool ok = files.fetch(files.self, &(struct registry_query){ registry, schema, NULL }, out, err);

    files.destroy(files.self);
    return ok;
}

static void gives_the_files_bytes(void)
{
    struct schema_definition definition = { 0 };
    struct error err = { 0 };

    folder_write(&folder, "R/S.json", STR(" {\"type\":\"object\"}\n"));
    CHECK(fetch("R", "S", &definition, &err));
    CHECK_INT(err.code, ERR_NONE);
    CHECK_STR(definition.text, " {\"type\":\"object\"}\n");
    schema_definition_done(&definition);
    schema_definition_done(&definition);
}

static void the_version_is_made_of_the_bytes(void)
{
    struct schema_definition first = { 0 };
    struct schema_definition second = { 0 };
    struct schema_definition other = { 0 };
    struct error err = { 0 };

    folder_write(&folder, "R/S.json", STR("abc"));
    folder_write(&folder, "Elsewhere/T.json", STR("abc"));
    CHECK(fetch("R", "S", &first, &err));
    CHECK(fetch("Elsewhere", "T", &second, &err));
    CHECK_STR(str_from_c(first.version), "ba7816bf8f01"); /* the beginning of SHA-256("abc") */
    CHECK_STR(str_from_c(second.version), first.version);
    folder_write(&folder, "R/S.json", STR("abd"));
    CHECK(fetch("R", "S", &other, &err));
    CHECK(strcmp(first.version, other.version) != 0);
    schema_definition_done(&first);
    schema_definition_done(&second);
    schema_definition_done(&other);
}

static void says_what_an_event_is_told(void)
{
    static const struct {
        const char *name;
        const char *schema;
        enum err_code code;
        const char *text;
    } cases[] = {
        { "no such file", "None", ERR_NOT_FOUND, "Schema None not found in registry R" },
        { "a file on the way", "S.json/T", ERR_NOT_FOUND,
          "Schema S.json/T not found in registry R" },
        { "an empty file", "Empty", ERR_INVALID, "Schema definition is empty in Glue Registry" },
        { "a blank file", "Blank", ERR_INVALID, "Schema definition is empty in Glue Registry" },
        { "a folder", "Folder", ERR_INVALID, "Schema definition cannot be read" },
        { "a pipe", "Pipe", ERR_INVALID, "Schema definition cannot be read" },
    };

    char path[FOLDER_PATH_SIZE];

    folder_write(&folder, "R/S.json", STR("{}"));
    folder_write(&folder, "R/Empty.json", STR(""));
    folder_write(&folder, "R/Blank.json", STR(" \r\n\t\n"));
    folder_write(&folder, "R/Folder.json/x", STR(""));
    folder_path(&folder, "R/Pipe.json", path);
    CHECK(mkfifo(path, S_IRUSR | S_IWUSR) == 0); /* never has a writer */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct schema_definition definition = { .version = "untouched" };
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        CHECK(!fetch("R", cases[i].schema, &definition, &err));
        CHECK_INT(err.code, cases[i].code);
        CHECK_STR(str_from_c(err.text), cases[i].text);
        CHECK(!definition.text.ptr);
        CHECK_STR(str_from_c(definition.version), "untouched");
    }
}

static void senders_see_the_kind_of_a_failure_only(void)
{
    static const struct {
        enum err_code code;
        const char *text;
        const char *shown;
    } cases[] = {
        { ERR_UNREACHABLE,
          "AWS SDK error during schema retrieval: no credentials: profile x: /opt/y: it ended",
          "AWS SDK error during schema retrieval: no credentials" },
        { ERR_UNREACHABLE, "AWS SDK error during schema retrieval: no connection",
          "AWS SDK error during schema retrieval: no connection" },
        { ERR_DENIED, "IAM role lacks glue:X permission: User: arn:aws:iam::1:user/a",
          "IAM role lacks glue:X permission" },
        { ERR_THROTTLED, "AWS Glue asks to come back later: Rate exceeded",
          "AWS Glue asks to come back later" },
        { ERR_SYSTEM, "/etc/x: Permission denied", "the schema registry cannot be used" },
        { ERR_INVALID, "Schema definition is not valid JSON: at byte 3",
          "Schema definition is not valid JSON: at byte 3" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = { 0 };

        TEST_CASE(cases[i].text);
        (void)fail(&err, cases[i].code, "%s", cases[i].text);
        registry_cut_for_senders(&err);
        CHECK_STR(str_from_c(err.text), cases[i].shown);
        CHECK_INT(err.code, cases[i].code);
    }
}

static void a_nul_is_not_blank(void)
{
    struct schema_definition definition = { 0 };
    struct error err = { 0 };

    folder_write(&folder, "R/S.json", STR(" \0 "));
    CHECK(fetch("R", "S", &definition, &err)); /* the JSON reader will refuse it */
    schema_definition_done(&definition);
}

static void takes_definitions_up_to_the_limit(void)
{
    char *text = mem_alloc(REGISTRY_DEFINITION_MAX + 1);
    struct schema_definition definition = { 0 };
    struct error err = { 0 };

    memset(text, 'x', REGISTRY_DEFINITION_MAX + 1);
    folder_write(&folder, "R/S.json", (struct str){ text, REGISTRY_DEFINITION_MAX });
    CHECK(fetch("R", "S", &definition, &err));
    CHECK_INT((int64_t)definition.text.len, REGISTRY_DEFINITION_MAX);
    schema_definition_done(&definition);
    folder_write(&folder, "R/S.json", (struct str){ text, REGISTRY_DEFINITION_MAX + 1 });
    CHECK(!fetch("R", "S", &definition, &err));
    CHECK_INT(err.code, ERR_INVALID);
    mem_free(text);
}

static void names_of_any_length_are_survived(void)
{
    char name[9000];
    struct schema_definition definition = { 0 };
    struct error err = { 0 };

    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    CHECK(!fetch("R", name, &definition, &err));
    CHECK_INT(err.code, ERR_NOT_FOUND);
    name[300] = '\0'; /* longer than a file name may be */
    CHECK(!fetch("R", name, &definition, &err));
    CHECK(err.code == ERR_NOT_FOUND || err.code == ERR_INVALID);
}

int main(void)
{
    folder_init(&folder);
    RUN(gives_the_files_bytes);
    RUN(the_version_is_made_of_the_bytes);
    RUN(says_what_an_event_is_told);
    RUN(senders_see_the_kind_of_a_failure_only);
    RUN(a_nul_is_not_blank);
    RUN(takes_definitions_up_to_the_limit);
    RUN(names_of_any_length_are_survived);
    folder_done(&folder);
    return test_end();
}
