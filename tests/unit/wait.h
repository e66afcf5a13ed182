/*
 * wait.h - for what another thread will bring about soon.
 */
#pragma once

#include <stdbool.h>

/** Ask until `is_so(self)`, at most for half a minute; its last answer. */
bool wait_until(bool (*is_so)(void *self), void *self);
