/*
 * lambda.c - does AWS Lambda learn of the events that are refused?
 *
 * The Web Adapter drops the status of an answer, and Lambda counts the event as handled, unless
 * AWS_LWA_ERROR_STATUS_CODES names the status: `500,502-504`.
 */
#include <stdlib.h>

#include "server/config/config_internal.h"

/* Is the status in a list of numbers and ranges? */
static bool list_has(const char *list, long status)
{
    const char *at = list;

    while (*at) {
        char *end;
        long first = strtol(at, &end, 10);
        long last = *end == '-' ? strtol(end + 1, &end, 10) : first;

        if (first <= status && status <= last)
            return true;
        while (*end && *end != ',')
            end++;
        at = *end ? end + 1 : end;
    }
    return false;
}

const char *config_lambda_risk(const char *runtime_api, const char *error_codes)
{
    enum { REFUSED = 400, UNAVAILABLE = 503 };

    if (!runtime_api || !*runtime_api ||
        (error_codes && list_has(error_codes, REFUSED) && list_has(error_codes, UNAVAILABLE)))
        return NULL;
    return "AWS_LWA_ERROR_STATUS_CODES does not name 400 and 503, so AWS Lambda counts an event "
           "with such an answer as handled, and it is lost: set it to 400-599, and give the "
           "function an on-failure destination";
}
