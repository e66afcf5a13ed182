/*
 * fetch.c - see fetch.h. The only user of libcurl.
 */
#include "base/fetch.h"

#include <curl/curl.h>

bool fetch_init(struct error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(err, ERR_SYSTEM, "libcurl does not start");
    return true;
}

static void end_handle(CURL **handle)
{
    curl_easy_cleanup(*handle);
}

/* Anything but `len` makes libcurl give up. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's choice */
static size_t take_body(char *bytes, size_t size, size_t count, void *body)
{
    size_t len = size * count;

    buf_add(body, (struct str){ bytes, len });
    return ((const struct buf *)body)->overflow ? 0 : len;
}

/* To libcurl 0 is without end, and a negative one an error that leaves it so. */
static long timeout_ms(int64_t timeout_us)
{
    return timeout_us < 1000 ? 1 : (long)(timeout_us / 1000);
}

bool fetch_get(const char *url, int64_t timeout_us, struct fetch_answer *answer, struct error *err)
{
    CLEANUP(end_handle) CURL *handle = curl_easy_init();
    long status = 0;

    if (!handle)
        return fail(err, ERR_SYSTEM, "libcurl does not start");
    (void)curl_easy_setopt(handle, CURLOPT_URL, url);
    (void)curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https"); /* no file: among them */
    (void)curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(handle, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, timeout_ms(timeout_us));
    (void)curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer->body);

    CURLcode result = curl_easy_perform(handle);

    if (result != CURLE_OK)
        return fail(err, ERR_REGISTRY_UNREACHABLE, "%s", curl_easy_strerror(result));
    (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    return true;
}
