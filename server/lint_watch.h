/*
 * lint_watch.h - logs the mistakes of lint.h of each route, once for each version of its schema.
 *
 * Schemas of AWS Glue come after the start, so a server looks again and again.
 *
 * Threads: one at a time.
 */
#pragma once

#include "handlers/route.h"
#include "server/config/config.h"

struct lint_watch;

/** For the routes of this configuration; all borrowed. The caller owns it. */
struct lint_watch *lint_watch_create(const struct config *config, const struct routes *routes,
                                     struct catalog *catalog);

/** NULL is fine. */
void lint_watch_destroy(struct lint_watch *watch);

/** Look at each route whose schema has another version than at the last look. Else cheap. */
void lint_watch_look(struct lint_watch *watch);
