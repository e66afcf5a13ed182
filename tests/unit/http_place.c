/*
 * http_place.c - see http_place.h.
 */
#include "tests/unit/http_place.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/canned.h"
#include "tests/unit/test.h"

const struct sink_record http_place_record = { .sequence = 5,
                                               .key = STR_INIT("id-1"),
                                               .bytes = STR_INIT("{\"n\":1}") };

struct http_place http_place = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* Add a line for each element of an array of objects, or for the one value. */
static void add_records(struct buf *out, struct str body)
{
    const char *rest = body.ptr + 1;
    const char *end = body.ptr + body.len - 1; /* at the bracket */

    if (body.ptr[0] != '[') {
        buf_add(out, body);
        buf_add_char(out, '\n');
        return;
    }
    while (rest < end) {
        const char *gap = memmem(rest, (size_t)(end - rest), "},{", 3);
        const char *stop = gap ? gap + 1 : end;

        buf_add(out, (struct str){ rest, (size_t)(stop - rest) });
        buf_add_char(out, '\n');
        rest = stop + 1;
    }
}

/* Of an array those of its elements, else the request's own. */
static void add_keys(struct buf *out, const char *request)
{
    static const char one[] = "\r\nIdempotency-Key: ";
    static const char many[] = "\r\nIdempotency-Keys: ";
    const char *at = strstr(request, many);

    at = at ? at + sizeof(many) - 1 : strstr(request, one) + sizeof(one) - 1;
    for (; *at != '\r'; at++)
        buf_add_char(out, (char)(*at == ',' ? '\n' : *at));
    buf_add_char(out, '\n');
}

static struct str receive(void *self, struct str request, size_t nth)
{
    static const struct str refusal = STR_INIT("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
    const char *end = memmem(request.ptr, request.len, "\r\n\r\n", 4);
    struct str body = str_from(request, end ? (size_t)(end - request.ptr) + 4 : request.len);
    bool is_poison = body.len > 0 && memmem(body.ptr, body.len, "poison", 6);
    struct str answer;

    (void)self;
    (void)nth;
    (void)pthread_mutex_lock(&http_place.mutex);
    answer = is_poison ? refusal : buf_str(&http_place.answer);
    buf_clear(&http_place.seen);
    buf_add(&http_place.seen, request);
    buf_add_char(&http_place.seen, '\0');
    buf_clear(&http_place.sent);
    buf_add(&http_place.sent, answer);
    if (body.len > 0 && str_starts_with(answer, STR("HTTP/1.1 2"))) {
        add_records(&http_place.arrived, body);
        if (strstr(http_place.seen.ptr, "\r\nIdempotency-Key: "))
            add_keys(&http_place.keys, http_place.seen.ptr);
    }

    bool stalls = http_place.stalls;

    (void)pthread_mutex_unlock(&http_place.mutex);
    if (stalls)
        return CANNED_STALL;
    return http_place.sent.len > 0 ? buf_str(&http_place.sent) : CANNED_CLOSE;
}

void answer_with(const char *answer)
{
    (void)pthread_mutex_lock(&http_place.mutex);
    buf_clear(&http_place.answer);
    buf_add(&http_place.answer, str_from_c(answer));
    http_place.stalls = !answer;
    (void)pthread_mutex_unlock(&http_place.mutex);
}

void http_place_begin(void)
{
    buf_init(&http_place.seen, HTTP_PLACE_MAX);
    buf_init(&http_place.arrived, HTTP_PLACE_MAX);
    buf_init(&http_place.keys, HTTP_PLACE_MAX);
    buf_init(&http_place.sent, HTTP_PLACE_MAX);
    buf_init(&http_place.answer, HTTP_PLACE_MAX);
    answer_with(OK_ANSWER);
    http_place.server = canned_start(NULL, receive, NULL);
    (void)snprintf(http_place.url, sizeof(http_place.url), "http://127.0.0.1:%d/in?a=b",
                   canned_port(http_place.server));
}

void http_place_end(void)
{
    canned_destroy(http_place.server);
    buf_done(&http_place.seen);
    buf_done(&http_place.arrived);
    buf_done(&http_place.keys);
    buf_done(&http_place.sent);
    buf_done(&http_place.answer);
}

bool saw(const char *text)
{
    (void)pthread_mutex_lock(&http_place.mutex);

    bool found = strstr(http_place.seen.ptr, text) != NULL;

    (void)pthread_mutex_unlock(&http_place.mutex);
    return found;
}

enum sink_result deliver_once(const struct sink_http_options *options,
                              const struct sink_record *records, size_t count,
                              struct sink_answer *answer)
{
    static struct sink_outcome outcomes[4];
    struct arena *arena = arena_create();
    struct sink sink = sink_http(options);

    *answer = (struct sink_answer){ .outcomes = outcomes };
    memset(outcomes, 0, sizeof(outcomes));
    assert(count <= COUNT_OF(outcomes));
    sink.deliver(sink.self,
                 &(struct sink_batch){ .records = records, .count = count, .arena = arena },
                 answer);
    sink.destroy(sink.self);
    for (size_t i = 0; i < count; i++)
        CHECK_INT(outcomes[i].result, outcomes[0].result);
    arena_destroy(arena); /* the reasons with it */
    return outcomes[0].result;
}
