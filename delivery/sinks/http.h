/*
 * http.h - the sink that posts records to a URL.
 *
 * Threads: as sink.h.
 */
#pragma once

#include "delivery/sinks/sink.h"

/** A header of each request: its value, or a file whose first line is the value. */
struct sink_http_header {
    const char *name;
    const char *value;
    const char *file; /* read again for each request; NULL: use `value` */
};

/** OAuth client credentials (oauth.h). */
struct sink_http_oauth {
    const char *token_url; /* NULL or "": no tokens */
    const char *client_id;
    const char *client_secret_file;
    const char *scope; /* NULL or "": none */
};

/** Everything must outlive the sink. NULL is as good as "". */
struct sink_http_options {
    const char *url;
    const struct sink_http_header *headers;
    size_t header_count;
    size_t batch;          /* most records in one request; if above 1, they are sent as an array */
    int64_t timeout_us;    /* of one request */
    const char *ca_file;   /* trusted CA certificates, PEM; "": the system's */
    size_t in_flight;      /* requests at the same time; 0: one */
    bool gzip;             /* compress bodies */
    const char *cert_file; /* the client's certificate, PEM; "": none, */
    const char *key_file;  /* and its key */
    const char *sign_file; /* secrets of Standard Webhooks (webhook.h); "": do not sign */
    struct sink_http_oauth oauth;
};

/** Records posted to a URL; delivered means: answered 2xx. fetch_init() comes first. */
struct sink sink_http(const struct sink_http_options *options);
