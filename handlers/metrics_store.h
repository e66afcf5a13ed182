/*
 * metrics_store.h - the store's and the sinks' counters in Prometheus' text format.
 *
 * They are of one moment, so that enqueued = delivered + pending + dead + dropped holds in every
 * scrape. Threads: any.
 */
#pragma once

#include "base/buf.h"
#include "delivery/outbox/outbox.h"

void metrics_write_store(struct buf *out, struct outbox *outbox);
