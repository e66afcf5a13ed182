/*
 * yaml.c - see yaml.h; the only user of libyaml.
 *
 * libyaml's events are written out as JSON text, which json_read() then reads: so a value from a
 * file is the same tree, with the same number rules, as a value from an event. Beside it grows a
 * list of where everything stands (yaml_nodes.h), for this reader's errors and for later ones.
 */
#include "settings/yaml.h"

#include <stdio.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "settings/yaml_core.h"
#include "settings/yaml_nodes.h"

enum {
    MAX_JSON_BYTES = 16 * YAML_MAX_BYTES, /* escapes and variables may lengthen the text */
    PREFIX_SIZE = 400,
    FAULTS_MAX = 200, /* faults that are kept; later ones are passed over in silence */
};

#define CORE_TAG "tag:yaml.org,2002:"

struct yaml {
    struct json_object *root;
    struct yaml_nodes *nodes;
    struct arena *arena; /* holds the faults' texts */
    size_t fault_count;
    struct yaml_fault faults[FAULTS_MAX];
};

/* Where the JSON text of a member is, with the comma before it. */
struct span {
    size_t start;
    size_t end;
};

struct reader {
    yaml_parser_t parser;
    const struct yaml_options *options;
    struct str text;
    struct yaml *yaml;
    struct buf json;
    struct buf expanded;
    struct span *spans; /* by node; of elements they are empty */
    size_t span_capacity;
    struct error *err;
};

static void delete_event(yaml_event_t *event)
{
    yaml_event_delete(event);
}

static bool read_value(struct reader *reader, const yaml_event_t *event, size_t node, size_t depth);

/* Put `FILE:LINE: ` before the error. */
static bool blame_line(const struct reader *reader, size_t line)
{
    char place[PREFIX_SIZE];

    (void)snprintf(place, sizeof(place), "%s:%zu", reader->options->file, line);
    return fail_within(reader->err, place);
}

/* Put `FILE:LINE: KEY: ` before the error. */
static bool blame(const struct reader *reader, size_t node)
{
    if (node != 0) {
        CLEANUP(buf_done) struct buf path;

        buf_init(&path, (size_t)2 * YAML_MAX_BYTES); /* longer than any path in the file */
        yaml_nodes_path(reader->yaml->nodes, node, &path);
        if (path.len > 0) {
            buf_add_char(&path, '\0');
            (void)fail_within(reader->err, path.ptr);
        }
    }
    return blame_line(reader, yaml_nodes_line(reader->yaml->nodes, node));
}

static void keep_fault(struct reader *reader, size_t node)
{
    struct yaml *yaml = reader->yaml;
    CLEANUP(buf_done) struct buf pointer;

    buf_init(&pointer, (size_t)2 * YAML_MAX_BYTES);
    yaml_nodes_pointer(yaml->nodes, node, &pointer);
    yaml->faults[yaml->fault_count++] =
        (struct yaml_fault){ .pointer = arena_copy(yaml->arena, buf_str(&pointer)),
                             .line = yaml_nodes_line(yaml->nodes, node),
                             .text = arena_copy(yaml->arena, str_from_c(reader->err->text)).ptr };
}

/* The error is a fault of this node: keep it and go on, if the caller wants that. */
static bool note(struct reader *reader, size_t node)
{
    if (!reader->options->keeps_faults)
        return blame(reader, node);
    if (reader->yaml->fault_count < FAULTS_MAX)
        keep_fault(reader, node);
    *reader->err = (struct error){ 0 };
    return true;
}

/* note(), and the value reads as null. */
static bool pass_over(struct reader *reader, size_t node)
{
    if (!note(reader, node))
        return false;
    buf_add(&reader->json, STR("null"));
    return true;
}

static size_t line_of(const yaml_event_t *event)
{
    return event->start_mark.line + 1;
}

static size_t line_at_offset(struct str text, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset && i < text.len; i++)
        line += text.ptr[i] == '\n';
    return line;
}

/* What usually is behind a complaint of libyaml's, which names a token and not the mistake. */
static const char *advice(const yaml_parser_t *parser)
{
    static const struct {
        const char *words; /* of the problem or its context */
        const char *advice;
    } table[] = {
        { "scanning an alias", " (text that begins with * needs quotes)" },
        { "scanning an anchor", " (text that begins with & needs quotes)" },
        { "parsing a flow", " (text with any of { } [ ] , needs quotes inside { } and [ ])" },
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

/* The next event; what libyaml refuses ends the reading. */
static bool next(struct reader *reader, yaml_event_t *event)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem;

    if (yaml_parser_parse(&reader->parser, event))
        return true;
    problem = parser->problem ? parser->problem : "out of memory";
    (void)fail(reader->err, ERR_CONFIG, "not YAML: %s%s%s%s", problem, parser->context ? " " : "",
               parser->context ? parser->context : "", advice(parser));
    if (parser->error == YAML_READER_ERROR)
        return blame_line(reader, line_at_offset(reader->text, parser->problem_offset));
    return blame_line(reader, parser->problem_mark.line + 1);
}

static bool refuse_anchor(struct reader *reader, const yaml_char_t *anchor, size_t node)
{
    if (!anchor)
        return true;
    (void)fail(reader->err, ERR_CONFIG, "anchors and aliases are not allowed");
    return note(reader, node);
}

static bool has_tag(const yaml_char_t *tag, const char *name)
{
    return tag && strcmp((const char *)tag, name) == 0;
}

static bool refuse_tag(struct reader *reader, const yaml_char_t *tag, size_t node)
{
    (void)fail(reader->err, ERR_CONFIG, "tag %.100s is not allowed here", (const char *)tag);
    return note(reader, node);
}

/* Write a scalar that has no tag: only plain ones are more than strings. */
static bool write_untagged(struct reader *reader, struct str text, bool plain, size_t node)
{
    if (!plain) {
        json_write_string(&reader->json, text);
        return true;
    }
    if (yaml_core_kind(text) == YAML_CORE_NO_JSON) {
        (void)fail(reader->err, ERR_CONFIG, "a number that JSON cannot hold");
        return pass_over(reader, node);
    }
    yaml_core_write(&reader->json, text);
    return true;
}

/* Write a scalar with a tag of the core schema, which its text must fit. */
static bool write_tagged(struct reader *reader, struct str text, const yaml_char_t *tag,
                         size_t node)
{
    static const struct {
        const char *tag;
        enum yaml_core_kind kind;
    } tags[] = {
        { CORE_TAG "null", YAML_CORE_NULL },     { CORE_TAG "bool", YAML_CORE_BOOLEAN },
        { CORE_TAG "int", YAML_CORE_INTEGER },   { CORE_TAG "float", YAML_CORE_FLOAT },
        { CORE_TAG "float", YAML_CORE_INTEGER },
    };

    if (has_tag(tag, "!") || has_tag(tag, CORE_TAG "str")) {
        json_write_string(&reader->json, text);
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(tags); i++)
        if (has_tag(tag, tags[i].tag) && yaml_core_kind(text) == tags[i].kind) {
            yaml_core_write(&reader->json, text);
            return true;
        }
    buf_add(&reader->json, STR("null"));
    return refuse_tag(reader, tag, node);
}

/* Let the caller rewrite the text; `*text` then lies in the reader. */
static bool expand(struct reader *reader, struct str *text)
{
    const struct yaml_options *options = reader->options;

    if (!options->expand)
        return true;
    buf_clear(&reader->expanded);
    if (!options->expand(options->self, *text, &reader->expanded, reader->err))
        return false;
    if (reader->expanded.overflow || !utf8_is_valid(buf_str(&reader->expanded)))
        return fail(reader->err, ERR_CONFIG, "filled in, it is too long or not UTF-8");
    *text = buf_str(&reader->expanded);
    return true;
}

static bool read_scalar(struct reader *reader, const yaml_event_t *event, size_t node)
{
    struct str text = { (const char *)event->data.scalar.value, event->data.scalar.length };
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool was_empty = text.len == 0;

    if (!refuse_anchor(reader, event->data.scalar.anchor, node))
        return false;
    if (text.len > 0 && memchr(text.ptr, '\0', text.len)) {
        (void)fail(reader->err, ERR_CONFIG, "a NUL character is not allowed");
        return pass_over(reader, node);
    }
    if (!expand(reader, &text))
        return pass_over(reader, node);
    if (event->data.scalar.tag)
        return write_tagged(reader, text, event->data.scalar.tag, node);
    if (text.len == 0 && !was_empty)
        plain = false; /* an empty variable is an empty string, not null */
    return write_untagged(reader, text, plain, node);
}

/* The key of a member: a string, and not by accident a number or a truth value. */
static bool read_key(struct reader *reader, const yaml_event_t *event, size_t parent, size_t *node)
{
    struct str text;
    bool plain;

    if (event->type != YAML_SCALAR_EVENT) {
        (void)fail(reader->err, ERR_CONFIG, "a key must be a string");
        return blame_line(reader, line_of(event));
    }
    text = (struct str){ (const char *)event->data.scalar.value, event->data.scalar.length };
    plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.tag;
    if (text.len > 0 && memchr(text.ptr, '\0', text.len)) {
        (void)fail(reader->err, ERR_CONFIG, "a NUL character is not allowed");
        return blame_line(reader, line_of(event));
    }
    *node = yaml_nodes_add_member(reader->yaml->nodes, parent, text, line_of(event));
    if (plain && yaml_core_kind(text) != YAML_CORE_STRING) {
        (void)fail(reader->err, ERR_CONFIG, "a key must be a string: put it in quotes");
        if (!note(reader, *node))
            return false;
    }
    if (event->data.scalar.tag && !has_tag(event->data.scalar.tag, CORE_TAG "str") &&
        !refuse_tag(reader, event->data.scalar.tag, *node))
        return false;
    json_write_string(&reader->json, text);
    buf_add_char(&reader->json, ':');
    return refuse_anchor(reader, event->data.scalar.anchor, *node);
}

static void keep_span(struct reader *reader, size_t node, size_t start)
{
    if (node >= reader->span_capacity) {
        size_t more = 2 * node + 64;

        reader->spans = mem_realloc(reader->spans, more * sizeof(*reader->spans));
        memset(reader->spans + reader->span_capacity, 0,
               (more - reader->span_capacity) * sizeof(*reader->spans));
        reader->span_capacity = more;
    }
    reader->spans[node] = (struct span){ start, reader->json.len };
}

static bool read_mapping(struct reader *reader, size_t node, size_t depth)
{
    buf_add_char(&reader->json, '{');
    for (size_t i = 0;; i++) {
        size_t start = reader->json.len;
        CLEANUP(delete_event) yaml_event_t key = { 0 };
        CLEANUP(delete_event) yaml_event_t value = { 0 };
        size_t member = 0;

        if (!next(reader, &key))
            return false;
        if (key.type == YAML_MAPPING_END_EVENT)
            break;
        if (i > 0)
            buf_add_char(&reader->json, ',');
        if (!read_key(reader, &key, node, &member) || !next(reader, &value) ||
            !read_value(reader, &value, member, depth))
            return false;
        keep_span(reader, member, start);
    }
    buf_add_char(&reader->json, '}');
    return true;
}

static bool read_sequence(struct reader *reader, size_t node, size_t depth)
{
    buf_add_char(&reader->json, '[');
    for (size_t i = 0;; i++) {
        CLEANUP(delete_event) yaml_event_t value = { 0 };
        size_t element;

        if (!next(reader, &value))
            return false;
        if (value.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (i > 0)
            buf_add_char(&reader->json, ',');
        element = yaml_nodes_add_element(reader->yaml->nodes, node, i, line_of(&value));
        if (!read_value(reader, &value, element, depth))
            return false;
    }
    buf_add_char(&reader->json, ']');
    return true;
}

static bool read_container(struct reader *reader, const yaml_event_t *event, size_t node,
                           size_t depth)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *anchor =
        mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag =
        mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;

    if (!refuse_anchor(reader, anchor, node))
        return false;
    if (tag && !has_tag(tag, "!") && !has_tag(tag, mapping ? CORE_TAG "map" : CORE_TAG "seq") &&
        !refuse_tag(reader, tag, node))
        return false;
    if (depth >= JSON_MAX_DEPTH) {
        (void)fail(reader->err, ERR_CONFIG, "nested deeper than %d", JSON_MAX_DEPTH);
        return blame(reader, node);
    }
    return mapping ? read_mapping(reader, node, depth + 1) : read_sequence(reader, node, depth + 1);
}

static bool read_value(struct reader *reader, const yaml_event_t *event, size_t node, size_t depth)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, event, node);
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return read_container(reader, event, node, depth);
    default: /* an alias is all that is left */
        (void)fail(reader->err, ERR_CONFIG, "anchors and aliases are not allowed");
        return pass_over(reader, node);
    }
}

/* From the stream's start to its end; a stream without a document is null. */
static bool read_stream(struct reader *reader)
{
    size_t documents = 0;

    for (;;) {
        CLEANUP(delete_event) yaml_event_t event = { 0 };

        if (!next(reader, &event))
            return false;
        if (event.type == YAML_STREAM_END_EVENT)
            break;
        if (event.type == YAML_DOCUMENT_START_EVENT && documents++ > 0) {
            (void)fail(reader->err, ERR_CONFIG, "a second document is not allowed");
            return blame_line(reader, line_of(&event));
        }
        if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT ||
            event.type == YAML_DOCUMENT_END_EVENT)
            continue;
        yaml_nodes_begin(reader->yaml->nodes, line_of(&event));
        if (!read_value(reader, &event, 0, 0))
            return false;
    }
    if (documents == 0)
        buf_add(&reader->json, STR("null"));
    return true;
}

/* What a duplicate key has written is blanked: its object must have each key once. */
static bool refuse_duplicates(struct reader *reader)
{
    const struct yaml_nodes *nodes = reader->yaml->nodes;

    yaml_nodes_sort(reader->yaml->nodes);
    for (size_t i = 1; i < yaml_nodes_count(nodes); i++) {
        if (!yaml_nodes_is_duplicate(nodes, i))
            continue;
        (void)fail(reader->err, ERR_CONFIG, "duplicate key");
        if (!note(reader, i))
            return false;
        memset(reader->json.ptr + reader->spans[i].start, ' ',
               reader->spans[i].end - reader->spans[i].start);
    }
    return true;
}

static bool read_document(struct reader *reader)
{
    struct json_read_options json = { .max_depth = JSON_MAX_DEPTH };

    if (!read_stream(reader))
        return false;
    if (reader->json.overflow) {
        (void)fail(reader->err, ERR_CONFIG, "more than %d bytes", MAX_JSON_BYTES);
        return fail_within(reader->err, reader->options->file);
    }
    if (!refuse_duplicates(reader))
        return false;
    if (!json_read(buf_str(&reader->json), &json, &reader->yaml->root, reader->err))
        return fail_within(reader->err, reader->options->file);
    return true;
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
    reader.yaml->nodes = yaml_nodes_create();
    reader.yaml->arena = arena_create();
    buf_init(&reader.json, MAX_JSON_BYTES);
    buf_init(&reader.expanded, YAML_MAX_BYTES);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser,
                                 (const unsigned char *)(text.len > 0 ? text.ptr : ""), text.len);
    ok = read_document(&reader);
    yaml_parser_delete(&reader.parser);
    buf_done(&reader.json);
    buf_done(&reader.expanded);
    mem_free(reader.spans);
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
    yaml_nodes_destroy(yaml->nodes);
    arena_destroy(yaml->arena);
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

size_t yaml_line(const struct yaml *yaml, struct str pointer)
{
    return yaml_nodes_line(yaml->nodes, yaml_nodes_find(yaml->nodes, pointer));
}
