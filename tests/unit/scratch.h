/*
 * scratch.h - a file that exists only while its test runs, and only for it.
 */
#pragma once

/** A nameless file with this text; the path is good until scratch_close(). */
const char *scratch_file(const char *text);

/** End the file that scratch_file() made last. */
void scratch_close(void);
