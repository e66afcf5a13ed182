/*
 * load_config.c - see load_config.h.
 */
#include "tests/unit/load_config.h"

bool load_config(const char *path, struct config **out, struct error *err)
{
    struct config_review *review;
    bool ok;

    if (!config_review_open(path, &review, err))
        return false;
    ok = config_review_take(review, out) ||
         fail(err, ERR_CONFIG, "%s", settings_problem(review->settings, 0)->text);
    config_review_close(review);
    return ok;
}
