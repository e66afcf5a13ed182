/*
 * scratch.h - one temporary file in memory, for tests of functions that read a file.
 */
#pragma once

/** Make a file with this text and return its path, which is valid until the next call of either. */
const char *scratch_file(const char *text);

/** Close the file. */
void scratch_close(void);
