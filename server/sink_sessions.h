/*
 * sink_sessions.h - the AWS sessions of the sinks: one for each different set of settings.
 *
 * Threads: one thread at a time.
 */
#pragma once

#include "aws/session.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "server/config/config.h"

/** The settings of the session of a sink, copied to `arena`; `aws` has what the sink leaves out. */
struct aws_session_options sink_session_options(const struct config_sink *sink,
                                                const struct config_aws *aws, struct arena *arena);

struct sink_sessions;

/** The caller owns it. */
struct sink_sessions *sink_sessions_create(void);

/** Destroy the arenas first that use them. NULL is fine. */
void sink_sessions_destroy(struct sink_sessions *sessions);

/**
 * The session with these settings, made if there is none. It lives until the last arena that it was
 * got for is destroyed. ERR_CONFIG.
 */
NODISCARD bool sink_sessions_get(struct sink_sessions *sessions,
                                 const struct aws_session_options *options, struct arena *arena,
                                 struct aws_session **out, struct error *err);
