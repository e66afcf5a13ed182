/*
 * describe.h - the annotated configuration file, written from its schema.
 *
 * conf/sluice.yaml is this text and a test compares the two, so what it says cannot go stale.
 */
#pragma once

#include "base/buf.h"

/** Add a whole conf/sluice.yaml. */
void config_describe(struct buf *out);
