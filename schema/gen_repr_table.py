#!/usr/bin/python3
"""Write schema/repr_table.h: the code points that Python's repr() escapes.

    /usr/bin/python3 schema/gen_repr_table.py > schema/repr_table.h

The table is that of the Python it runs under; Python 3.11 has Unicode 14.
"""
import sys
import unicodedata

HEADER = """\
/*
 * repr_table.h - what str.isprintable() says no to, beyond ASCII, by Unicode {version}.
 *
 * Written by schema/gen_repr_table.py. Only schema/repr.c uses it.
 */
#pragma once

#include <stdint.h>

/* clang-format off */
static const struct {{
    uint32_t first;
    uint32_t last;
}} unprintable[] = {{
"""
COLUMNS = 4


def ranges():
    start = None
    for code in range(0x80, sys.maxunicode + 2):
        printable = code > sys.maxunicode or chr(code).isprintable()
        if not printable and start is None:
            start = code
        elif printable and start is not None:
            yield start, code - 1
            start = None


def main():
    out = sys.stdout
    out.write(HEADER.format(version=unicodedata.unidata_version))
    rows = [f"{{ 0x{first:X}, 0x{last:X} }}," for first, last in ranges()]
    for i in range(0, len(rows), COLUMNS):
        out.write("    " + " ".join(rows[i:i + COLUMNS]) + "\n")
    out.write("};\n/* clang-format on */\n")


main()
