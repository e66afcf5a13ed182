/*
 * schema.c - conf/sluice.schema.json inside the program, so that it needs no file to start.
 */
#include "server/config/config_internal.h"

#include "base/embed.h"

EMBED(sluice_schema, "conf/sluice.schema.json");

struct str config_schema_text(void)
{
    return EMBEDDED(sluice_schema);
}
