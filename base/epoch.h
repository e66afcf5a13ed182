/*
 * epoch.h - read shared data without a lock while another thread may replace it.
 *
 * A reader calls epoch_enter(), loads the pointer, uses the data and calls epoch_leave(). A writer
 * swaps the pointer atomically and calls epoch_wait(); then no reader can still use the old data,
 * and the writer frees it. Readers never wait. The reader's calls must not nest, and the time
 * between them must be short, because writers wait for it.
 *
 * Threads: readers may be any threads. Writers of the same data are serialised by their caller.
 */
#pragma once

/** From now to epoch_leave(), data that this thread can reach is not freed. */
void epoch_enter(void);

/** The thread no longer uses what it has read since epoch_enter(). */
void epoch_leave(void);

/** Wait until every reader that has entered by now has left. Not between enter and leave. */
void epoch_wait(void);
