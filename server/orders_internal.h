/*
 * orders_internal.h - the orders of orders_read.c, which read the store and the schemas.
 *
 * Threads: as orders.h.
 */
#pragma once

#include "server/orders.h"

typedef bool order_function(const struct orders *orders, struct json_object *members,
                            struct buf *answer, struct error *err);

/** Refused events, newest first: `"refused":[...],"more":false`. */
order_function order_refused;

/** Counts by route, outcome and rule: `"groups":[...]`. */
order_function order_refused_groups;

/** One refused event, complete, and its route's payload: `"event":{...},"payload":"/detail"`. */
order_function order_refused_event;

/** Dead records, newest first: `"dead":[...],"more":false`. */
order_function order_dead;

/** One dead record, complete: `"record":{...}`. */
order_function order_dead_record;

/** The schemas and what the registry and the guard say: `"schemas":[...]`. */
order_function order_schemas;

/** The versions of a schema with their texts: `"texts":{...}`, see catalog_write_texts(). */
order_function order_schema_texts;

/** The last hour: `"history":{...}`, see history.h. */
order_function order_history;
