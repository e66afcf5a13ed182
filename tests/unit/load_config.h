/*
 * load_config.h - read a configuration that must be valid, or list what is wrong with it, for
 * tests.
 */
#pragma once

#include "server/config/config.h"

/** Read the file `path`; NULL: use the built-in defaults. ERR_CONFIG: the first problem. */
NODISCARD bool load_config(const char *path, struct config **out, struct error *err);

struct problem_case {
    const char *yaml;
    const char *problems;
};

/** CHECK all problems of a file, one a line, without the name of the file in front. */
void check_problems(const char *yaml, const char *expected);

void check_problem_cases(const struct problem_case *cases, size_t count);
