/*
 * lambda.c - does AWS Lambda learn of the events that are refused?
 *
 * The Web Adapter drops the status of an answer, and Lambda counts the event as handled, unless
 * AWS_LWA_ERROR_STATUS_CODES names the status: `500,502-504`.
 */
#include "base/chars.h"
#include "server/config/config_internal.h"

enum { REFUSED = 400, UNAVAILABLE = 503 };

/* The number at `*text`, which it moves behind its digits; without digits 0. */
static int64_t take_status(struct str *text)
{
    int64_t status;

    return take_number(text, INT64_MAX, &status) ? status : 0;
}

/* Is the status in a list of numbers and ranges? */
static bool list_has(struct str list, int status)
{
    while (list.len > 0) {
        struct str range = str_trim(take_until(&list, ','));
        int64_t first = take_status(&range);
        int64_t last = take_char(&range, "-") ? take_status(&range) : first;

        if (first <= status && status <= last)
            return true;
    }
    return false;
}

const char *config_lambda_risk(const char *runtime_api, const char *error_codes)
{
    struct str codes = str_from_c(error_codes);

    if (!runtime_api || !*runtime_api || (list_has(codes, REFUSED) && list_has(codes, UNAVAILABLE)))
        return NULL;
    return "AWS_LWA_ERROR_STATUS_CODES does not name 400 and 503, so AWS Lambda counts an event "
           "with such an answer as handled, and it is lost: set it to 400-599, and give the "
           "function an on-failure destination";
}
