/*
 * cmd_schema.c - `sluice schema`: verify, get, list and accept; cmd_schema_change.c has the rest.
 */
#include "server/cli/cmd_schema.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fetch.h"
#include "base/member.h"
#include "base/memory.h"
#include "schema/registry/catalog_cache.h"
#include "server/cli/commands.h"

enum { OUTPUT_MAX = 64 * 1024 * 1024 };

int schema_cli_complain(const struct error *err)
{
    cli_complain("schema", err->text);
    return cli_status(err);
}

const char *schema_cli_pin(const struct schema_cli *cli)
{
    const struct config_pairs *pins = &cli->config->registry.pin;
    struct str name = arena_printf(cli->arena, "%s/%s", cli->registry, cli->schema);

    for (size_t i = 0; cli->glue && i < pins->count; i++)
        if (strcmp(pins->list[i].key, name.ptr) == 0)
            return pins->list[i].value;
    return NULL;
}

static bool get_file(const struct schema_cli *cli, const char *version, struct glue_version *out,
                     struct error *err)
{
    const struct registry_query query = { cli->registry, cli->schema, NULL };
    struct registry files = registry_file(cli->config->registry.dir);
    struct schema_definition definition = { 0 };

    if (!files.fetch(files.self, &query, &definition, err))
        return false;
    if (version && strcmp(version, definition.version) != 0) {
        schema_definition_done(&definition);
        return fail(err, ERR_NOT_FOUND, "a file has one version, this one's is %s",
                    definition.version);
    }
    *out = (struct glue_version){
        .uuid = arena_copy(cli->arena, str_from_c(definition.version)),
        .status = STR("AVAILABLE"),
        .format = STR("JSON"),
        .definition = arena_copy(cli->arena, definition.text),
    };
    schema_definition_done(&definition);
    return true;
}

bool schema_cli_get(const struct schema_cli *cli, const char *version, struct glue_version *out,
                    struct error *err)
{
    struct registry_query query = { cli->registry, cli->schema, version };
    struct glue_version latest = { 0 };
    struct error why = { 0 };

    if (!cli->glue)
        return get_file(cli, version, out, err);
    if (glue_get_version(cli->glue, &query, cli->arena, out, err))
        return true;
    query.version = NULL;
    return version && err->code == ERR_NOT_FOUND &&
                   glue_get_version(cli->glue, &query, cli->arena, &latest, &why)
               ? fail(err, ERR_NOT_FOUND, "Schema %s in registry %s has no version %s", cli->schema,
                      cli->registry, version)
               : false;
}

struct str schema_cli_version(const struct schema_cli *cli, const struct glue_version *version)
{
    return version->number ? arena_printf(cli->arena, "%" PRId64, version->number) : version->uuid;
}

static void add_version(const struct schema_cli *cli, struct buf *out,
                        const struct glue_version *version)
{
    buf_add_char(out, '{');
    member_text(out, "registry", str_from_c(cli->registry));
    member_text(out, "schema", str_from_c(cli->schema));
    member_text(out, "version", schema_cli_version(cli, version));
    member_text(out, "uuid", version->uuid);
    member_text(out, "status", version->status);
    if (version->format.len > 0)
        member_text(out, "format", version->format);
}

/* Can events be checked with this version? */
static bool verify_version(const struct schema_cli *cli, const struct glue_version *version,
                           struct error *err)
{
    if (!str_equal(version->status, STR("AVAILABLE")))
        return fail(err, ERR_INVALID, "version %.*s is %.*s, not AVAILABLE",
                    STR_ARG(schema_cli_version(cli, version)), STR_ARG(version->status));
    if (!str_equal(version->format, STR("JSON")))
        return fail(err, ERR_INVALID, "its format is %.*s, not JSON", STR_ARG(version->format));
    return schema_cli_compile(cli, version->definition, err);
}

static void print_verdict(const struct schema_cli *cli, const struct glue_version *version,
                          const struct error *err)
{
    struct buf *out = arena_buf(cli->arena, OUTPUT_MAX);

    if (cli->json) {
        add_version(cli, out, version);
        member_bool(out, "ok", !err);
        if (err)
            member_text(out, "error", str_from_c(err->text));
        buf_add(out, STR("}\n"));
    } else {
        buf_printf(out, "%s/%s: ", cli->registry, cli->schema);
        if (err)
            buf_printf(out, "%s\n", err->text);
        else
            buf_printf(out, "ok, version %.*s, %zu bytes\n",
                       STR_ARG(schema_cli_version(cli, version)), version->definition.len);
    }
    cli_print(buf_str(out));
}

static int verify_one(const struct schema_cli *cli)
{
    struct glue_version version = { 0 };
    struct error err = { 0 };
    bool ok = schema_cli_get(cli, schema_cli_pin(cli), &version, &err) &&
              verify_version(cli, &version, &err);

    print_verdict(cli, &version, ok ? NULL : &err);
    if (ok)
        return COMMAND_OK;
    return cli_status(&err);
}

bool schema_cli_is_known(const struct config *config, size_t index)
{
    if (config->routes[index].drop)
        return true; /* it has none */
    for (size_t i = 0; i < index; i++)
        if (!config->routes[i].drop &&
            strcmp(config->routes[i].registry, config->routes[index].registry) == 0 &&
            strcmp(config->routes[i].schema, config->routes[index].schema) == 0)
            return true;
    return false;
}

static int verify(const struct schema_cli *cli)
{
    struct schema_cli one = *cli;
    int worst = COMMAND_OK;

    if (cli->schema)
        return verify_one(cli);
    for (size_t i = 0; i < cli->config->route_count; i++) {
        if (schema_cli_is_known(cli->config, i))
            continue;
        one.registry = cli->config->routes[i].registry;
        one.schema = cli->config->routes[i].schema;

        int status = verify_one(&one);

        worst = status > worst ? status : worst;
    }
    return worst;
}

/* The version of a file is the beginning of its digest, in hex. */
static bool is_version_name(struct str text)
{
    int64_t number;

    if (glue_is_uuid(text) || glue_is_number(text, &number))
        return true;
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("0123456789abcdef", text.ptr[i]))
            return false;
    return text.len == 12;
}

static int get(const struct schema_cli *cli)
{
    struct buf *out = arena_buf(cli->arena, OUTPUT_MAX);
    const char *wanted = cli->argument_count ? cli->arguments[0] : "latest";
    struct glue_version version = { 0 };
    struct error err = { 0 };

    if (strcmp(wanted, "latest") == 0)
        wanted = NULL;
    else if (!is_version_name(str_from_c(wanted)))
        return cli_refuse("schema", "VERSION is a number, a UUID or latest");
    if (!schema_cli_get(cli, wanted, &version, &err))
        return schema_cli_complain(&err);
    if (cli->json) {
        add_version(cli, out, &version);
        member_text(out, "definition", version.definition);
        buf_add(out, STR("}\n"));
    } else {
        buf_add(out, version.definition); /* to a file or pipe: exactly its bytes */
        if (isatty(STDOUT_FILENO) == 1 && !str_ends_with(version.definition, STR("\n")))
            buf_add_char(out, '\n');
    }
    cli_print(buf_str(out));
    return COMMAND_OK;
}

static int list(const struct schema_cli *cli)
{
    const struct glue_schema schema = { cli->registry, cli->schema };
    struct buf *out = arena_buf(cli->arena, OUTPUT_MAX);
    struct glue_versions versions = { 0 };
    struct error err = { 0 };

    if (!glue_list_versions(cli->glue, &schema, cli->arena, &versions, &err))
        return schema_cli_complain(&err);
    for (size_t i = 0; i < versions.count; i++) {
        const struct glue_version *version = &versions.list[i];

        if (cli->json) {
            add_version(cli, out, version);
            member_text(out, "created", version->created);
            buf_add(out, STR("}\n"));
        } else {
            buf_printf(out, "%-6" PRId64 " %-36.*s  %-9.*s  %.*s\n", version->number,
                       STR_ARG(version->uuid), STR_ARG(version->status), STR_ARG(version->created));
        }
    }
    cli_print(buf_str(out));
    return COMMAND_OK;
}

static int accept_version(const struct schema_cli *cli)
{
    const struct catalog_place place = { cli->config->registry.cache_dir, cli->registry,
                                         cli->schema };
    struct glue_version version = { 0 };
    struct error err = { 0 };

    if (!is_version_name(str_from_c(cli->arguments[0])))
        return cli_refuse("schema", "VERSION is a number or a UUID");
    if (!schema_cli_get(cli, cli->arguments[0], &version, &err))
        return schema_cli_complain(&err);
    if (!catalog_cache_note(&place, CATALOG_ACCEPTED, cli->arguments[0], &err))
        return schema_cli_complain(&err);
    (void)printf("%s/%s: version %s is accepted; a running server takes it at its next look\n",
                 cli->registry, cli->schema, cli->arguments[0]);
    return COMMAND_OK;
}

enum needs { NEEDS_SCHEMA = 1, NEEDS_GLUE = 2, NEEDS_REGISTRY = 4 };

static const struct schema_command {
    const char *name;
    int (*run)(const struct schema_cli *cli);
    int least; /* arguments */
    int most;
    unsigned needs;
} commands[] = {
    { "verify", verify, 0, 0, NEEDS_REGISTRY },
    { "get", get, 0, 1, NEEDS_SCHEMA | NEEDS_REGISTRY },
    { "list", list, 0, 0, NEEDS_SCHEMA | NEEDS_GLUE },
    { "diff", schema_cli_diff, 2, 2, NEEDS_SCHEMA | NEEDS_REGISTRY },
    { "register", schema_cli_register, 1, 1, NEEDS_SCHEMA | NEEDS_GLUE },
    { "create", schema_cli_create, 0, 1, NEEDS_SCHEMA | NEEDS_GLUE },
    { "open", schema_cli_open, 0, 0, NEEDS_SCHEMA | NEEDS_GLUE },
    { "accept", accept_version, 1, 1, NEEDS_SCHEMA | NEEDS_REGISTRY },
    { "shadow", schema_cli_shadow, 0, 1, 0 },
};

/* Do --registry and --schema match the route? */
static bool matches_route(const struct schema_cli *cli, const struct config_route *route)
{
    return (!cli->registry || strcmp(cli->registry, route->registry) == 0) &&
           (!cli->schema || strcmp(cli->schema, route->schema) == 0);
}

/* Complete --registry and --schema from the routes. False: several schemas match, or none. */
static bool choose_schema(struct schema_cli *cli)
{
    const struct config *config = cli->config;
    const struct config_route *found = NULL;

    for (size_t i = 0; i < config->route_count; i++) {
        const struct config_route *route = &config->routes[i];

        if (!matches_route(cli, route) || schema_cli_is_known(config, i))
            continue;
        if (found)
            return false;
        found = route;
    }
    if (found) {
        cli->registry = found->registry;
        cli->schema = found->schema;
    }
    return cli->registry && cli->schema;
}

bool schema_cli_connect(struct schema_cli *cli, struct error *err)
{
    const struct config_aws *aws = &cli->config->aws;
    const struct aws_session_options options = { .region = aws->region,
                                                 .profile = aws->profile,
                                                 .endpoint_url = aws->endpoint_url };

    if (!fetch_init(err) || !aws_session_create(&options, &cli->session, err) ||
        !glue_create(cli->session, &cli->glue, err))
        return false;
    glue_use_operator_texts(cli->glue);
    return true;
}

void schema_cli_disconnect(struct schema_cli *cli)
{
    glue_destroy(cli->glue);
    aws_session_destroy(cli->session);
}

/* Connect to the registry that the command needs. */
static bool prepare(struct schema_cli *cli, unsigned needs, struct error *err)
{
    if (cli->config->registry.kind == CONFIG_REGISTRY_FILE)
        return needs & NEEDS_GLUE
                   ? fail(err, ERR_CONFIG, "this needs registry.kind: glue; files have one version")
                   : true;
    return !(needs & (NEEDS_GLUE | NEEDS_REGISTRY)) || schema_cli_connect(cli, err);
}

static bool is_mode(const char *text)
{
    static const char *const modes[] = { "NONE",    "DISABLED",    "BACKWARD", "BACKWARD_ALL",
                                         "FORWARD", "FORWARD_ALL", "FULL",     "FULL_ALL" };

    for (size_t i = 0; i < COUNT_OF(modes); i++)
        if (strcmp(text, modes[i]) == 0)
            return true;
    return false;
}

static int run_command(struct schema_cli *cli, const struct schema_command *command)
{
    struct error err = { 0 };
    int status;

    if (cli->argument_count < command->least || cli->argument_count > command->most)
        return cli_refuse("schema", "too few arguments, or too many");
    if ((command->needs & NEEDS_SCHEMA || cli->registry || cli->schema) && !choose_schema(cli))
        return cli_refuse("schema", "name one with --registry and --schema");
    if (cli->compatibility && !is_mode(cli->compatibility))
        return cli_refuse("schema", "--compatibility: no such mode");
    cli->arena = arena_create();
    status = prepare(cli, command->needs, &err) ? command->run(cli) : schema_cli_complain(&err);
    schema_cli_disconnect(cli);
    arena_destroy(cli->arena);
    return status;
}

static const struct schema_command *find_command(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

/* The command and its arguments. Returns the exit status. */
static int schema_run(struct schema_cli *cli, const struct cli *common)
{
    const struct schema_command *command;
    struct config *config;
    int status;

    if (common->argument_count == 0)
        return cli_refuse("schema", "name a command");
    command = find_command(common->arguments[0]);
    if (!command)
        return cli_refuse("schema", "no such command");
    if (!cli_load_config(common, &config))
        return COMMAND_ENVIRONMENT;
    log_configure(LOG_ERROR, LOG_TEXT);
    (void)signal(SIGPIPE, SIG_IGN); /* of connections */
    cli->config = config;
    cli->arguments = common->arguments + 1;
    cli->argument_count = common->argument_count - 1;
    status = run_command(cli, command);
    config_destroy(config);
    return status;
}

int cmd_schema(int argc, char **argv)
{
    struct schema_cli cli = { 0 };
    const struct cli_option options[] = {
        { "registry", 0, "NAME", "the registry and the schema; needed where routes name several,",
          .text = &cli.registry },
        { "schema", 0, "NAME", "except for verify, which then verifies all of them",
          .text = &cli.schema },
        { "compatibility", 0, "MODE",
          "create: NONE, DISABLED, BACKWARD, BACKWARD_ALL, FORWARD, FORWARD_ALL,\n"
          "FULL, FULL_ALL; default BACKWARD",
          .text = &cli.compatibility },
        { "json", 0, NULL, "verify, get, list, shadow: a JSON object a line", .flag = &cli.json },
        { "yes", 'y', NULL, "do not ask", .flag = &cli.yes },
        { 0 },
    };
    const struct cli_spec spec = {
        .usage = "sluice schema COMMAND [OPTION...]",
        .about =
            "  verify            is each schema there, which version, does it compile?\n"
            "  get [VERSION]     print a definition: the latest, or of a number or UUID\n"
            "  list              print all versions, the newest first\n"
            "  diff A B          compare two of: a number, a UUID, latest, a file; runs diff(1)\n"
            "  register FILE     let Glue check FILE, register it, wait until it is usable\n"
            "  create [FILE]     create registry and schema where missing; FILE is version "
            "1\n"
            "  open              register the latest definition with "
            "additionalProperties: true,\n"
            "                    after showing the difference and asking\n"
            "  accept VERSION    let the guard take a version that it holds back\n"
            "  shadow [ROUTE]    what the shadow schemas of routes would decide differently, by a\n"
            "                    running server's count: rule and place of the first event of "
            "each\n",
        .actions = "verify get list diff register create open accept shadow",
        .ending = "Exits with 0 when all is well, 1 when the answer is no (missing, not usable, "
                  "refused, different),\n"
                  "2 for a wrong call, 3 when the registry cannot be asked.\n",
        .options = options,
        .takes_config = true,
        .max_arguments = INT_MAX,
    };
    struct cli common;
    int status;

    if (!cli_parse(argc, argv, &spec, &common, &status))
        return status;
    return schema_run(&cli, &common);
}
