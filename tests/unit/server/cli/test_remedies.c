/*
 * test_remedies.c - claims about server/cli/remedies.h.
 */
#include "server/cli/remedies.h"

#include <string.h>

#include "base/attr.h"
#include "tests/unit/test.h"

static void prefers_the_remedy_of_the_key(void)
{
    static const struct {
        const char *name;
        const char *what;
        const char *pointer;
        const char *word;
    } cases[] = {
        { "a key", "certificate", "/http/tls/key_file", "name the key of this certificate" },
        { "any key", "certificate", "/http/tls/cert_file", "renew it" },
        { "no key", "clock", "", "synchronize" },
        { "a sink's URL", "sink", "/sinks/3/url", "correct url" },
        { "a sink's other key", "sink", "/sinks/3/stream", "docs/iam" },
        { "not known", "weather", "", "see docs/operations.md" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        CHECK(strstr(remedy_of(cases[i].what, cases[i].pointer), cases[i].word));
    }
}

int main(void)
{
    RUN(prefers_the_remedy_of_the_key);
    return test_end();
}
