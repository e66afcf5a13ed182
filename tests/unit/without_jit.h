/*
 * without_jit.h - restrict this process as systemd's MemoryDenyWriteExecute=yes does.
 */
#pragma once

#include <stdbool.h>

/** Forbid to make memory executable, until the process ends. False: the kernel cannot do it. */
bool without_jit(void);
