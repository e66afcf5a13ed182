/*
 * remedies.h - what to do about a finding of `sluice doctor`.
 *
 * Threads: any.
 */
#pragma once

/** The remedy for a warning or failure about `what` at the key `pointer` (JSON Pointer, or ""). */
const char *remedy_of(const char *what, const char *pointer);
