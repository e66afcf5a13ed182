/*
 * epoch.h - read what another thread may replace, without a lock.
 *
 * A reader brackets its use with epoch_enter() and epoch_leave(); a writer swaps the pointer
 * atomically, calls epoch_wait() and may then free what was there before: every reader that could
 * have seen it has left. Readers never wait. Brackets do not nest and stay short.
 *
 * Threads: readers may be any threads; each takes a slot at its first use and keeps it. Writers
 * are serialised by their caller's own mutex or thread.
 */
#pragma once

/** From here to epoch_leave() nothing that is reachable now is freed. */
void epoch_enter(void);

void epoch_leave(void);

/** Wait until every reader that is inside now has left. Not from inside. */
void epoch_wait(void);
