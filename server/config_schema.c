/*
 * config_schema.c - conf/sluice.schema.json inside the program, so that it needs no file to start.
 */
#include "server/config_parts.h"

#include "base/embed.h"

EMBED(sluice_schema, "conf/sluice.schema.json");

struct str config_schema_text(void)
{
    return EMBEDDED(sluice_schema);
}
