/*
 * embed.h - put a file of the source tree into the program.
 *
 * The path is relative to the root of the tree, where the compiler runs.
 *
 * Threads: the bytes are read-only.
 */
#pragma once

#include <stddef.h>

#include "base/str.h"

/** At file scope: define `name` as the bytes of the file at `path`. A NUL follows them. */
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

/** The bytes as a slice; in the source file that has EMBED(). */
#define EMBEDDED(name) ((struct str){ name##_begin, (size_t)(name##_end - name##_begin) })
