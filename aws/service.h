/*
 * service.h - the AWS services that Sluice calls: their names and protocols.
 *
 * Threads: any; constants.
 */
#pragma once

#include <stdbool.h>

#include "aws/config.h"

/** How requests and answers are written. */
enum aws_protocol {
    AWS_JSON_1_0, /* POST of JSON; X-Amz-Target has the operation */
    AWS_JSON_1_1,
    AWS_REST,  /* S3: method, path and headers; errors are XML */
    AWS_QUERY, /* SNS, STS: POST of a form; answers are XML */
};

struct aws_service_row {
    const char *name;    /* in options of clients, and in `services` sections of profiles */
    const char *host;    /* in host names */
    const char *signing; /* in signatures */
    enum aws_protocol protocol;
    const char *target; /* JSON: the prefix of the operation in X-Amz-Target */
    enum aws_variable endpoint;
    bool takes_session_endpoint; /* `endpoint_url` of struct aws_session_options applies */
};

/** The service's row. */
const struct aws_service_row *aws_service_get(enum aws_service service);

/** Find the service with this name ("glue"). False: there is no such service. */
bool aws_service_find(const char *name, enum aws_service *service);
