/*
 * inspect_clock.c - compares this machine's clock with the `Date` of a server that was asked.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "server/cli/inspect_internal.h"

enum {
    TIMEOUT_US = 5 * US_PER_S,
    SKEW_MAX_S = 60, /* more makes tokens, times and signatures wrong */
};

void inspect_note_date(const struct inspection *inspection, const char *server,
                       const struct fetch_answer *answer)
{
    struct inspect_date *date = inspection->date;
    int64_t theirs_us;

    if (date->server || !clock_parse_http(fetch_answer_header(answer, "Date"), &theirs_us))
        return;
    date->server = server;
    date->ahead_s = (clock_now_us() - theirs_us) / US_PER_S;
}

/* The keys for tokens have been fetched before, so their server is there. */
static void ask_for_date(const struct inspection *inspection)
{
    CLEANUP(fetch_answer_done) struct fetch_answer answer;
    struct fetch_client *client = fetch_client_create();
    struct error err;
    const struct fetch_request request = { .method = "HEAD",
                                           .url = inspection->config->auth.bearer.jwks_url,
                                           .timeout_us = TIMEOUT_US,
                                           .proxy = FETCH_PROXY_ENVIRONMENT,
                                           .status_only = true };

    fetch_answer_init(&answer, 0);
    if (fetch_client_run(client, &request, &answer, &err))
        inspect_note_date(inspection, request.url, &answer);
    fetch_client_destroy(client);
}

void inspect_clock(const struct inspection *inspection)
{
    const struct inspect_date *date = inspection->date;

    if (!date->server && *inspection->config->auth.bearer.jwks_url &&
        inspection->options->asks_others && inspect_is_sound(inspection, "/auth/bearer"))
        ask_for_date(inspection);
    if (!date->server)
        return;
    if (date->ahead_s > SKEW_MAX_S || date->ahead_s < -SKEW_MAX_S)
        inspect_say(inspection, INSPECT_WARNING, "clock", "", "%" PRId64 " s %s that of %s",
                    date->ahead_s < 0 ? -date->ahead_s : date->ahead_s,
                    date->ahead_s < 0 ? "behind" : "ahead of", date->server);
    else
        inspect_say(inspection, INSPECT_FINE, "clock", "", "agrees with that of %s", date->server);
}
