/*
 * test_case.h - one test of `sluice test`: an event, what is expected, and what differs.
 *
 * Threads: belongs to one thread.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/flat.h"
#include "server/service.h"

struct test_case {
    struct str name;
    struct str body;           /* the event as JSON */
    struct str route;          /* ptr NULL: any */
    const struct flat *expect; /* the member `expect` */
};

/**
 * Run the event through the service, and add a line to `differences` for each thing that is not as
 * expected. Texts are in the arena.
 */
void test_case_run(const struct test_case *test, const struct service *service, struct arena *arena,
                   struct buf *differences);
