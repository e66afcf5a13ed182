/*
 * without_jit.h - what systemd's MemoryDenyWriteExecute=yes does to a process.
 */
#pragma once

#include <stdbool.h>

/** From now on memory of this process cannot become code. False: the kernel does not offer it. */
bool without_jit(void);
