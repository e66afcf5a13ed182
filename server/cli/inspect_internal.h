/*
 * inspect_internal.h - what inspect*.c share among themselves.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "server/cli/inspect.h"

struct inspection {
    const struct config *config;
    const struct inspect_options *options;
    struct arena *arena; /* for texts */
};

/** Report something of the key at `pointer`. */
void inspect_say(const struct inspection *inspection, enum inspect_finding finding,
                 const char *what, const char *pointer, const char *fmt, ...) PRINTF_LIKE(5, 6);

/** Is nothing known to be wrong with this key? */
bool inspect_is_sound(const struct inspection *inspection, const char *pointer);

/** Is there room for the file at `path`? On this machine it may want `wanted_bytes`. */
void inspect_disk(const struct inspection *inspection, const char *pointer, const char *path,
                  uint64_t wanted_bytes);

/* The parts that have files of their own. */
void inspect_machine(const struct inspection *inspection);
void inspect_sinks(const struct inspection *inspection);
