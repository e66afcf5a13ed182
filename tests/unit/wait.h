/*
 * wait.h - wait for an effect of another thread.
 */
#pragma once

#include <stdbool.h>

/** Call `is_so(self)` each millisecond until it is true, for at most 30 seconds. Its last result.
 */
bool wait_until(bool (*is_so)(void *self), void *self);
