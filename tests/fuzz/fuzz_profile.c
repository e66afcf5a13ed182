/*
 * fuzz_profile.c - whatever a shared profile holds, it is read or refused with a line, and what is
 * found in it are C strings of that text.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "aws/profile.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_values(const struct aws_profiles *profiles, size_t size)
{
    static const char *const names[] = { "default", "dev", "", "a b" };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *value = aws_profiles_get(profiles, names[i], "region");

        assert(strlen(value) <= size && !strchr(value, '\n'));
        assert(aws_profiles_has(profiles, names[i]) || !*value);
        assert(strlen(aws_profiles_service_endpoint(profiles, names[i], "glue")) <= size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = { (const char *)data, size };

    for (int kind = AWS_CONFIG_FILE; kind <= AWS_CREDENTIALS_FILE; kind++) {
        struct aws_profiles *profiles = aws_profiles_create();
        struct error err = { 0 };
        bool ok = aws_profiles_add(profiles, text, (enum aws_profile_file)kind, "file", &err);

        assert(ok == (err.code == ERR_NONE) && ok == (err.text[0] == '\0'));
        check_values(profiles, size);
        aws_profiles_destroy(profiles);
    }
    return 0;
}
