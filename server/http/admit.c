/*
 * admit.c - see admit.h.
 */
#include "server/http/admit.h"

#include "server/http/body.h"
#include "server/http/connection.h"
#include "server/http/handler_set.h"
#include "server/http/loop.h"

/* 404, 405 */
static void refuse_match(struct http_connection *connection, const struct http_match *match)
{
    struct http_exchange *ex = connection->exchange;

    if (match->takes_post)
        ex->allow = match->takes_get ? "GET, HEAD, POST" : "POST";
    else if (match->takes_get)
        ex->allow = "GET, HEAD";
    http_exchange_refuse(connection, ex->allow ? 405 : 404, NULL);
}

/*
 * Count the request against the limits, also when it will be refused for another reason: 0, or the
 * status for too many requests.
 */
static int count_request(struct http_connection *connection)
{
    struct http *http = connection->loop->http;
    struct http_exchange *ex = connection->exchange;

    if (ex->handler && ex->handler->is_probe)
        return 0;
    if (!rate_take(&http->rate, connection->loop->now_us))
        return 429;
    ex->in_flight = ex->handler && http_quota_take(&http->in_flight, 1);
    return ex->in_flight ? 0 : 503;
}

/* A proxy sends the requests of many clients: each may have as many as others have connections. */
static bool count_client(struct http_connection *connection)
{
    struct http *http = connection->loop->http;
    struct http_exchange *ex = connection->exchange;

    if (!connection->proxied || !http->options.max_connections_per_address)
        return true;
    ex->counts_client = http_addresses_enter(http->addresses, ex->client);
    return ex->counts_client;
}

/* 413, 415, or 0: the handler can take this body. */
static int judge_body(const struct http *http, const struct http_gate *gate)
{
    if (gate->content_length > http->options.max_body)
        return 413;
    if (!http_gate_takes(gate->values[HTTP_CONTENT_TYPE], gate->values[HTTP_CONTENT_ENCODING]))
        return 415;
    return 0;
}

static void judge(struct http_connection *connection, const struct http_gate *gate, int over)
{
    bool has_body = connection->exchange->handler->method == HANDLER_POST;
    int status = has_body ? judge_body(connection->loop->http, gate) : 0;

    if (status)
        http_exchange_refuse(connection, status, NULL);
    else if (over == 429)
        http_exchange_refuse(connection, 429, "rate limit");
    else if (has_body && !count_client(connection))
        http_exchange_refuse(connection, 429, "requests of one address in flight");
    else if (over)
        http_exchange_refuse(connection, 503, "requests in flight");
    else if (has_body)
        http_body_expect(connection, gate);
}

void http_admit(struct http_connection *connection, const struct http_gate *gate,
                const struct http_match *match)
{
    struct http_exchange *ex = connection->exchange;
    const struct handler *handler = match->handler;

    ex->handler = handler;

    int over = count_request(connection);

    if (!handler) {
        refuse_match(connection, match);
        return;
    }
    ex->request.is_over_limit = over != 0;
    if (handler->admit && !handler->admit(handler->self, &ex->request, &ex->response)) {
        http_exchange_release(connection);
        ex->refused = true;
        return;
    }
    ex->admitted = handler->admit != NULL;
    judge(connection, gate, over);
}
