/*
 * pattern.c - for each line of a pattern, a tab and an event: does the event fit? Prints yes, no,
 * or error and the reason.
 */
#include "handlers/pattern.h"

#include <stdio.h>
#include <stdlib.h>

static void print_verdict(struct arena *arena, struct str source, struct str text)
{
    const struct flat *pattern_value = NULL;
    const struct flat *event = NULL;
    struct pattern *pattern = NULL;
    struct error err = { 0 };
    const struct pattern_report report = { .problem = pattern_first_problem, .self = &err };

    if (!flat_read(arena, source, NULL, &pattern_value, &err) ||
        !flat_read(arena, text, NULL, &event, &err) ||
        !pattern_create(pattern_value, &report, &pattern))
        (void)printf("error %s\n", err.text);
    else
        (void)puts(pattern_fits(pattern, event) ? "yes" : "no");
    pattern_destroy(pattern);
}

int main(void)
{
    struct arena *arena = arena_create();
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0) {
        struct str whole = { line, (size_t)len - (line[len - 1] == '\n') };
        const char *tab = memchr(line, '\t', whole.len);
        struct str source = { line, tab ? (size_t)(tab - line) : 0 };

        print_verdict(arena, source, tab ? str_from(whole, source.len + 1) : whole);
        arena_reset(arena);
    }
    free(line);
    arena_destroy(arena);
    return 0;
}
