/*
 * glue_ids.h - the UUIDs of schema versions, asked of AWS Glue once each.
 *
 * Threads: create and destroy belong to one thread; any thread may find.
 */
#pragma once

#include "aws/session.h"
#include "delivery/sinks/glue_framed.h"

struct glue_ids;

/** `session` outlives it. The caller owns it. */
struct glue_ids *glue_ids_create(struct aws_session *session);

/** NULL is fine. */
void glue_ids_destroy(struct glue_ids *ids);

/** For sink_glue_framed(). */
struct schema_ids glue_ids_of(struct glue_ids *ids);
