/*
 * yaml.c - see yaml.h; the only user of libyaml.
 *
 * The tree is built from libyaml's events: its document interface does not report anchors, and
 * gives an untagged scalar the same tag as one with `!!str`. Each scalar is written as JSON text
 * that json_read() reads, so that numbers follow the same rules as those of an event.
 *
 * Beside the tree stands a list of nodes, one for each value in the file's order. The descendants
 * of a node follow it, up to its `end`.
 */
#include "settings/yaml.h"

#include <assert.h>
#include <stdio.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "settings/yaml_core.h"

enum {
    MAX_EXPANDED_BYTES = 16 * YAML_MAX_BYTES, /* all values of a file, with variables filled in */
    MAX_POINTER_BYTES = 2 * YAML_MAX_BYTES,   /* longer than any pointer to a value of a file */
    PLACE_SIZE = 400,
    MAX_FAULTS = 200, /* later ones are dropped */
};

#define CORE_TAG "tag:yaml.org,2002:"

struct node {
    struct str key; /* with a NUL behind it; of an element: its index in decimal */
    bool is_element;
    size_t parent;
    size_t end;
    size_t line; /* of a member: its key's */
};

struct yaml {
    struct arena *arena; /* holds the keys and the faults' texts */
    struct json_object *root;
    struct node *nodes; /* the first is the document */
    size_t node_count;
    size_t node_capacity;
    size_t fault_count;
    struct yaml_fault faults[MAX_FAULTS];
};

struct reader {
    yaml_parser_t parser;
    const struct yaml_options *options;
    struct str text;
    struct yaml *yaml;
    size_t here;           /* the node that is being read */
    struct buf scratch;    /* the JSON text of one scalar */
    struct buf expanded;   /* the text of one scalar */
    size_t expanded_bytes; /* of all scalars */
    struct error *err;
};

static void yaml_delete_event(yaml_event_t *event)
{
    yaml_event_delete(event);
}

static bool yaml_read_value(struct reader *reader, const yaml_event_t *event, size_t depth,
                            struct json_object **out);

static size_t yaml_line(const yaml_event_t *event)
{
    return event->start_mark.line + 1;
}

/* Nodes and faults. */

/* The next value is that of this key, or the element with this index. */
static void yaml_enter(struct reader *reader, struct str key, bool is_element, size_t line)
{
    struct yaml *yaml = reader->yaml;

    yaml->nodes =
        mem_grow(yaml->nodes, yaml->node_count, &yaml->node_capacity, sizeof(struct node));
    yaml->nodes[yaml->node_count] =
        (struct node){ .key = key, .is_element = is_element, .parent = reader->here, .line = line };
    reader->here = yaml->node_count++;
}

/* Back to the container. */
static void yaml_leave(struct reader *reader)
{
    struct node *node = &reader->yaml->nodes[reader->here];

    node->end = reader->yaml->node_count;
    reader->here = node->parent;
}

/* Recurses as deep as the document, at most JSON_MAX_DEPTH. */
static void yaml_write_pointer(const struct yaml *yaml, size_t node, struct buf *out)
{
    if (node == 0)
        return;
    yaml_write_pointer(yaml, yaml->nodes[node].parent, out);
    buf_add_char(out, '/');
    json_write_pointer_token(out, yaml->nodes[node].key);
}

/* Note that something is wrong with the value, or key, that is being read. */
static void yaml_add_fault(struct reader *reader, struct str text)
{
    struct yaml *yaml = reader->yaml;
    CLEANUP(buf_done) struct buf pointer = { 0 };

    if (yaml->fault_count == MAX_FAULTS)
        return;
    buf_init(&pointer, MAX_POINTER_BYTES);
    yaml_write_pointer(yaml, reader->here, &pointer);
    yaml->faults[yaml->fault_count++] =
        (struct yaml_fault){ .pointer = arena_copy(yaml->arena, buf_str(&pointer)),
                             .line = yaml->nodes[reader->here].line,
                             .text = arena_copy(yaml->arena, text).ptr };
}

static void yaml_refuse_anchor(struct reader *reader, const yaml_char_t *anchor)
{
    if (anchor)
        yaml_add_fault(reader, STR("anchors and aliases are not allowed"));
}

static void yaml_refuse_tag(struct reader *reader, const yaml_char_t *tag)
{
    yaml_add_fault(reader, arena_printf(reader->yaml->arena, "tag %.100s is not allowed here",
                                        (const char *)tag));
}

/* What ends the reading. */

/* Put `FILE:LINE: ` before the error. */
static bool yaml_fail_at(const struct reader *reader, size_t line)
{
    char place[PLACE_SIZE];

    (void)snprintf(place, sizeof(place), "%s:%zu", reader->options->file, line);
    return fail_within(reader->err, place);
}

static size_t yaml_line_at_offset(struct str text, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset && i < text.len; i++)
        line += text.ptr[i] == '\n';
    return line;
}

/* The usual mistake behind an error of libyaml's, whose text names a token only. */
static const char *yaml_advice(const yaml_parser_t *parser)
{
    static const struct {
        const char *words; /* of the problem or its context */
        const char *advice;
    } table[] = {
        { "scanning an alias", " (text that begins with * needs quotes)" },
        { "scanning an anchor", " (text that begins with & needs quotes)" },
        { "parsing a flow",
          " (text with any of { } [ ] , needs quotes inside { } and [ ], as \"${NAME}\")" },
        { "cannot start any token",
          " (no tabs before a key; text that begins with @ ` or % needs quotes)" },
        { "mapping values are not allowed", " (text with a colon and a blank needs quotes)" },
    };

    for (size_t i = 0; i < COUNT_OF(table); i++)
        if ((parser->problem && strstr(parser->problem, table[i].words)) ||
            (parser->context && strstr(parser->context, table[i].words)))
            return table[i].advice;
    return "";
}

static bool yaml_next(struct reader *reader, yaml_event_t *event)
{
    const yaml_parser_t *parser = &reader->parser;

    if (yaml_parser_parse(&reader->parser, event))
        return true;
    (void)fail(reader->err, ERR_CONFIG, "not YAML: %s%s%s%s",
               parser->problem ? parser->problem : "out of memory", parser->context ? " " : "",
               parser->context ? parser->context : "", yaml_advice(parser));
    if (parser->error == YAML_READER_ERROR)
        return yaml_fail_at(reader, yaml_line_at_offset(reader->text, parser->problem_offset));
    return yaml_fail_at(reader, parser->problem_mark.line + 1);
}

/* Scalars. */

static bool yaml_has_nul(struct str text)
{
    return text.len > 0 && memchr(text.ptr, '\0', text.len);
}

static bool yaml_is_tag(const yaml_char_t *tag, const char *name)
{
    return strcmp((const char *)tag, name) == 0;
}

/* Is it a tag of the core schema for values of this kind? */
static bool yaml_tag_fits(const yaml_char_t *tag, enum yaml_core_kind kind)
{
    static const struct {
        const char *tag;
        enum yaml_core_kind kind;
    } tags[] = {
        { CORE_TAG "null", YAML_CORE_NULL },     { CORE_TAG "bool", YAML_CORE_BOOLEAN },
        { CORE_TAG "int", YAML_CORE_INTEGER },   { CORE_TAG "float", YAML_CORE_FLOAT },
        { CORE_TAG "float", YAML_CORE_INTEGER },
    };

    for (size_t i = 0; i < COUNT_OF(tags); i++)
        if (yaml_is_tag(tag, tags[i].tag) && kind == tags[i].kind)
            return true;
    return false;
}

/* Let the caller rewrite the text; `*text` then lies in the reader. */
static bool yaml_expand(struct reader *reader, struct str *text)
{
    const struct yaml_options *options = reader->options;
    struct error err = { 0 };

    if (yaml_has_nul(*text)) {
        yaml_add_fault(reader, STR("a NUL character is not allowed"));
        return false;
    }
    if (!options->expand)
        return true;
    buf_clear(&reader->expanded);
    if (!options->expand(options->self, *text, &reader->expanded, &err)) {
        yaml_add_fault(reader, str_from_c(err.text));
        return false;
    }
    reader->expanded_bytes += reader->expanded.len;
    if (reader->expanded.overflow || reader->expanded_bytes > MAX_EXPANDED_BYTES ||
        !utf8_is_valid(buf_str(&reader->expanded))) {
        yaml_add_fault(reader, STR("filled in, it is too long or not UTF-8"));
        return false;
    }
    *text = buf_str(&reader->expanded);
    return true;
}

static struct json_object *yaml_read_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct str text = { (const char *)event->data.scalar.value, event->data.scalar.length };
    const yaml_char_t *tag = event->data.scalar.tag;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool was_empty = text.len == 0;
    enum yaml_core_kind kind = YAML_CORE_STRING;
    struct json_object *value = NULL;
    struct error err;
    bool is_string;
    bool ok;

    yaml_refuse_anchor(reader, event->data.scalar.anchor);
    if (!yaml_expand(reader, &text))
        return NULL;
    is_string = tag ? yaml_is_tag(tag, "!") || yaml_is_tag(tag, CORE_TAG "str")
                    : !plain || (text.len == 0 && !was_empty);
    buf_clear(&reader->scratch);
    if (is_string)
        json_write_string(&reader->scratch, text);
    else
        kind = yaml_core_write(&reader->scratch, text);
    if (tag && !is_string && !yaml_tag_fits(tag, kind)) {
        yaml_refuse_tag(reader, tag);
        return NULL;
    }
    if (kind == YAML_CORE_NO_JSON) {
        yaml_add_fault(reader, STR("a number that JSON cannot hold"));
        return NULL;
    }
    ok = json_read(buf_str(&reader->scratch), NULL, &value, &err);
    assert(ok);
    return value;
}

/* Containers. */

/* Enter the member whose key this is. A plain key that looks like another type is a mistake. */
static bool yaml_read_key(struct reader *reader, const yaml_event_t *event)
{
    const yaml_char_t *tag = event->data.scalar.tag;
    struct str key = { (const char *)event->data.scalar.value, event->data.scalar.length };

    if (event->type != YAML_SCALAR_EVENT)
        (void)fail(reader->err, ERR_CONFIG, "a key must be a string");
    else if (yaml_has_nul(key))
        (void)fail(reader->err, ERR_CONFIG, "a NUL character is not allowed");
    else {
        yaml_enter(reader, arena_copy(reader->yaml->arena, key), false, yaml_line(event));
        if (!tag && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
            yaml_core_kind(key) != YAML_CORE_STRING)
            yaml_add_fault(reader, STR("a key must be a string: put it in quotes"));
        if (tag && !yaml_is_tag(tag, CORE_TAG "str"))
            yaml_refuse_tag(reader, tag);
        yaml_refuse_anchor(reader, event->data.scalar.anchor);
        return true;
    }
    return yaml_fail_at(reader, yaml_line(event));
}

static bool yaml_read_mapping(struct reader *reader, size_t depth, struct json_object *object)
{
    for (;;) {
        CLEANUP(yaml_delete_event) yaml_event_t key = { 0 };
        CLEANUP(yaml_delete_event) yaml_event_t event = { 0 };
        struct json_object *value;
        struct json_object *earlier;
        const char *name;

        if (!yaml_next(reader, &key))
            return false;
        if (key.type == YAML_MAPPING_END_EVENT)
            return true;
        if (!yaml_read_key(reader, &key) || !yaml_next(reader, &event) ||
            !yaml_read_value(reader, &event, depth, &value))
            return false;
        name = reader->yaml->nodes[reader->here].key.ptr;
        if (json_find(object, name, &earlier)) {
            yaml_add_fault(reader, STR("duplicate key"));
            json_release(value);
        } else {
            (void)json_object_object_add(object, name, value);
        }
        yaml_leave(reader);
    }
}

static bool yaml_read_sequence(struct reader *reader, size_t depth, struct json_object *array)
{
    for (size_t i = 0;; i++) {
        CLEANUP(yaml_delete_event) yaml_event_t event = { 0 };
        struct json_object *value;

        if (!yaml_next(reader, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            return true;
        yaml_enter(reader, arena_printf(reader->yaml->arena, "%zu", i), true, yaml_line(&event));
        if (!yaml_read_value(reader, &event, depth, &value))
            return false;
        (void)json_object_array_add(array, value);
        yaml_leave(reader);
    }
}

static bool yaml_read_container(struct reader *reader, const yaml_event_t *event, size_t depth,
                                struct json_object **out)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *tag =
        mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    CLEANUP(json_cleanup)
    struct json_object *container = mapping ? json_object_new_object() : json_object_new_array();

    yaml_refuse_anchor(reader, mapping ? event->data.mapping_start.anchor
                                       : event->data.sequence_start.anchor);
    if (tag && !yaml_is_tag(tag, "!") &&
        !yaml_is_tag(tag, mapping ? CORE_TAG "map" : CORE_TAG "seq"))
        yaml_refuse_tag(reader, tag);
    if (depth == JSON_MAX_DEPTH) {
        (void)fail(reader->err, ERR_CONFIG, "nested deeper than %d", JSON_MAX_DEPTH);
        return yaml_fail_at(reader, yaml_line(event));
    }
    if (!(mapping ? yaml_read_mapping : yaml_read_sequence)(reader, depth + 1, container))
        return false;
    *out = container;
    container = NULL;
    return true;
}

static bool yaml_read_value(struct reader *reader, const yaml_event_t *event, size_t depth,
                            struct json_object **out)
{
    *out = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        yaml_refuse_anchor(reader, event->data.alias.anchor);
    else if (event->type == YAML_SCALAR_EVENT)
        *out = yaml_read_scalar(reader, event);
    else
        return yaml_read_container(reader, event, depth, out);
    return true;
}

/* From the stream's start to its end; a stream without a document is null. */
static bool yaml_read_stream(struct reader *reader)
{
    size_t documents = 0;

    for (;;) {
        CLEANUP(yaml_delete_event) yaml_event_t event = { 0 };

        if (!yaml_next(reader, &event))
            return false;
        if (event.type == YAML_STREAM_END_EVENT)
            return true;
        if (event.type == YAML_DOCUMENT_START_EVENT && documents++ > 0) {
            (void)fail(reader->err, ERR_CONFIG, "a second document is not allowed");
            return yaml_fail_at(reader, yaml_line(&event));
        }
        if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT ||
            event.type == YAML_DOCUMENT_END_EVENT)
            continue;
        reader->yaml->nodes[0].line = yaml_line(&event);
        if (!yaml_read_value(reader, &event, 0, &reader->yaml->root))
            return false;
        yaml_leave(reader);
    }
}

bool yaml_read(struct str text, const struct yaml_options *options, struct yaml **out,
               struct error *err)
{
    struct reader reader = { .options = options, .text = text, .err = err };
    bool ok;

    if (text.len > YAML_MAX_BYTES)
        return fail(err, ERR_CONFIG, "%s: more than %d bytes", options->file, YAML_MAX_BYTES);
    if (!yaml_parser_initialize(&reader.parser))
        return fail(err, ERR_SYSTEM, "%s: no memory for a YAML parser", options->file);
    reader.yaml = mem_alloc(sizeof(*reader.yaml));
    reader.yaml->arena = arena_create();
    yaml_enter(&reader, STR(""), false, 1);
    buf_init(&reader.scratch, SIZE_MAX);
    buf_init(&reader.expanded, YAML_MAX_BYTES);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser,
                                 (const unsigned char *)(text.len > 0 ? text.ptr : ""), text.len);
    ok = yaml_read_stream(&reader);
    yaml_parser_delete(&reader.parser);
    buf_done(&reader.scratch);
    buf_done(&reader.expanded);
    if (ok)
        *out = reader.yaml;
    else
        yaml_destroy(reader.yaml);
    return ok;
}

bool yaml_load(const struct yaml_options *options, struct yaml **out, struct error *err)
{
    struct str text;
    bool ok = options->regular ? file_read_regular(options->file, YAML_MAX_BYTES, &text, err)
                               : file_read(options->file, YAML_MAX_BYTES, &text, err);

    if (!ok)
        return false;
    ok = yaml_read(text, options, out, err);
    mem_free((char *)text.ptr);
    return ok;
}

void yaml_destroy(struct yaml *yaml)
{
    if (!yaml)
        return;
    json_release(yaml->root);
    arena_destroy(yaml->arena);
    mem_free(yaml->nodes);
    mem_free(yaml);
}

struct json_object *yaml_root(const struct yaml *yaml)
{
    return yaml->root;
}

size_t yaml_fault_count(const struct yaml *yaml)
{
    return yaml->fault_count;
}

const struct yaml_fault *yaml_fault(const struct yaml *yaml, size_t index)
{
    return &yaml->faults[index];
}

/* The child of `parent` with this key, the first of duplicates; 0: there is none. */
static size_t yaml_find_child(const struct yaml *yaml, size_t parent, struct str key)
{
    const struct node *nodes = yaml->nodes;

    for (size_t i = parent + 1; i < nodes[parent].end; i = nodes[i].end)
        if (str_equal(nodes[i].key, key))
            return i;
    return 0;
}

size_t yaml_locate(const struct yaml *yaml, struct str pointer, struct buf *path)
{
    struct arena *arena = arena_create();
    bool is_there = yaml != NULL;
    size_t node = 0;

    while (pointer.len > 0) {
        struct str token = json_pointer_take(&pointer, arena);
        size_t child = is_there ? yaml_find_child(yaml, node, token) : 0;
        bool is_element =
            child ? yaml->nodes[child].is_element : json_pointer_index(token) != JSON_NO_INDEX;

        is_there = child != 0;
        if (is_there)
            node = child;
        if (is_element) {
            buf_printf(path, "[%.*s]", STR_ARG(token));
            continue;
        }
        if (path->len > 0)
            buf_add_char(path, '.');
        buf_add(path, token);
    }
    arena_destroy(arena);
    return yaml ? yaml->nodes[node].line : 0;
}
