/*
 * inspect_collector.c - checks that the collector of spans answers. Without it events are served.
 */
#include "base/clock.h"
#include "server/cli/inspect_internal.h"

enum { TIMEOUT_US = 5 * US_PER_S };

void inspect_collector(const struct inspection *inspection)
{
    CLEANUP(fetch_answer_done) struct fetch_answer answer;
    const struct config_tracing *tracing = &inspection->config->tracing;
    const struct fetch_request request = { .method = "HEAD",
                                           .url = tracing->endpoint,
                                           .timeout_us = TIMEOUT_US,
                                           .proxy = FETCH_PROXY_ENVIRONMENT,
                                           .ca_file = tracing->ca_file,
                                           .status_only = true };
    struct fetch_client *client;
    struct error err = { 0 };

    fetch_answer_init(&answer, 0);
    if (!*tracing->endpoint || !inspection->options->asks_others ||
        !inspect_is_sound(inspection, "/tracing"))
        return;
    client = fetch_client_create();
    if (fetch_client_run(client, &request, &answer, &err))
        inspect_say(inspection, INSPECT_FINE, "collector", "/tracing/endpoint", "%s answers",
                    tracing->endpoint);
    else
        inspect_say(inspection, INSPECT_WARNING, "collector", "/tracing/endpoint", "%s: %s",
                    tracing->endpoint, err.text);
    fetch_client_destroy(client);
}
