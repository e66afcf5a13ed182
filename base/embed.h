/*
 * embed.h - a file of the source tree as bytes of the program.
 *
 * The path is relative to the root of the tree, where the compiler runs.
 */
#pragma once

#include <stddef.h>

#include "base/str.h"

/** At file scope: `name` stands for the bytes of the file at `path`. A NUL follows them. */
#define EMBED(name, path)                                                                          \
    __asm__(".pushsection .rodata, \"a\", @progbits\n"                                             \
            ".globl " #name "_begin\n"                                                             \
            ".hidden " #name "_begin\n" #name "_begin:\n"                                          \
            ".incbin \"" path "\"\n"                                                               \
            ".globl " #name "_end\n"                                                               \
            ".hidden " #name "_end\n" #name "_end:\n"                                              \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char name##_begin[];                                                              \
    extern const char name##_end[]

/** The bytes, in the same file. */
#define EMBEDDED(name) ((struct str){ name##_begin, (size_t)(name##_end - name##_begin) })
