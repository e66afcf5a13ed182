/*
 * exporter.h - sends spans to a collector: OTLP over HTTP, as JSON.
 *
 * Threads: an exporter belongs to one thread at a time, except for exporter_interrupt().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct exporter;

struct exporter_header {
    const char *name;
    const char *value; /* NULL: in `file` */
    const char *file;  /* with a secret, read for each call (base/secret.h) */
};

/** All texts are copied. */
struct exporter_options {
    const char *endpoint; /* http or https; `/v1/traces` follows it */
    const struct exporter_header *headers;
    size_t header_count;
    const char *ca_file; /* "": the system's */
    const char *service_name;
    const char *version; /* of the program */
};

/** The caller owns it. fetch_init() was called. */
struct exporter *exporter_create(const struct exporter_options *options);

/** NULL is fine. */
void exporter_destroy(struct exporter *exporter);

enum exporter_result {
    EXPORTER_TAKEN,
    EXPORTER_LATER,   /* no answer, or one that asks to come again */
    EXPORTER_REFUSED, /* it would be refused again */
};

struct exporter_answer {
    enum exporter_result result;
    size_t rejected;        /* spans of those that were taken */
    int64_t retry_after_us; /* the pause that the collector asks for; 0: none */
    struct error why;       /* if it was not taken */
};

/** Send `spans`, JSON objects with commas between them. Takes 10 s at most. */
void exporter_send(struct exporter *exporter, struct str spans, struct exporter_answer *answer);

/** Make the running call and all later ones fail at once. Any thread may call it. */
void exporter_interrupt(struct exporter *exporter);
