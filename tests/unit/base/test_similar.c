/*
 * test_similar.c - claims about base/similar.h.
 */
#include "base/similar.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void changes_are_counted(void)
{
    static const struct {
        const char *word;
        const char *known;
        unsigned changes;
    } cases[] = {
        { "listen", "listen", 0 },     { "lisen", "listen", 1 },
        { "listten", "listen", 1 },    { "lisetn", "listen", 1 },
        { "lixxen", "listen", 2 },     { "lixxxn", "listen", SIMILAR_NOT },
        { "htp", "http", 1 },          { "hp", "http", SIMILAR_NOT },
        { "tsl", "tls", SIMILAR_NOT }, { "", "http", SIMILAR_NOT },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].word);
        CHECK_INT(similar_changes(str_from_c(cases[i].word), str_from_c(cases[i].known)),
                  cases[i].changes);
    }
}

static void long_words_are_not_compared(void)
{
    static const char word[] =
        "a-word-that-has-more-than-sixty-three-letters-is-not-compared-at-all";

    CHECK_INT(similar_changes(str_from_c(word), str_from_c(word)), SIMILAR_NOT);
}

int main(void)
{
    RUN(changes_are_counted);
    RUN(long_words_are_not_compared);
    return test_end();
}
