/*
 * format_internal.h - one function for each format, for the table in schema/format/format.c.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* schema/format/time.c */
bool format_is_date(struct str text);
bool format_is_time(struct str text);
bool format_is_date_time(struct str text);
bool format_is_duration(struct str text);

/* schema/format/net.c */
bool format_is_ipv4(struct str text);
bool format_is_ipv6(struct str text);
bool format_is_email(struct str text);
bool format_is_idn_email(struct str text);

/* schema/format/host.c */
bool format_is_hostname(struct str text);
bool format_is_idn_hostname(struct str text);

/* schema/format/uri.c */
bool format_is_uri(struct str text);
bool format_is_uri_reference(struct str text);
bool format_is_iri(struct str text);
bool format_is_iri_reference(struct str text);
bool format_is_uri_template(struct str text);
