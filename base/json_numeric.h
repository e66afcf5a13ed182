/*
 * json_numeric.h - a number taken apart; shared by the json*.c files that calculate.
 */
#pragma once

#include "base/json.h"

/* The order matters to json_compare_numbers(). */
enum json_numeric_kind {
    NUMERIC_SMALL, /* an integer below 2^64 in magnitude */
    NUMERIC_BIG,   /* an integer beyond */
    NUMERIC_REAL,  /* a double */
};

struct json_numeric {
    enum json_numeric_kind kind;
    bool negative;      /* below zero */
    uint64_t magnitude; /* of a small one */
    struct str digits;  /* of a big one, without sign and leading zeros */
    double real;        /* of a real one; of a big one the nearest double, maybe infinite */
};

/** Take a number apart. The digits lie in the tree. */
struct json_numeric json_numeric(struct json_object *number);

enum { JSON_REAL_DIGITS = 312 }; /* 309 digits and a NUL */

/** Write the digits of the whole, finite `real` without its sign; how many. */
size_t json_real_digits(double real, char digits[static JSON_REAL_DIGITS]);
