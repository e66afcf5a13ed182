/*
 * catalog_cache.c - see catalog_cache.h.
 *
 * A definition's file is a line "sluice-schema-1 <SHA-256 of the rest>", a line of JSON with
 * its names and versions, and the definition's bytes. A file's name has the safe characters of both
 * names and the beginning of their SHA-256.
 */
#include "schema/registry/catalog_cache.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/chars.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/member.h"
#include "base/memory.h"
#include "base/secret.h"

enum {
    HEAD_MAX = 8 * 1024,
    FILE_MAX = REGISTRY_DEFINITION_MAX + HEAD_MAX,
    LIST_MAX = 64 * 1024, /* bytes of a list: 1500 versions */
    SAMPLES_MAX = 2 * SAMPLES_BYTES_MAX,
    NAME_PART = 60,        /* bytes of a name that go into a file's name */
    NAME_DIGEST_BYTES = 8, /* of the digest */
};

static const char magic[] = "sluice-schema-1 ";
static const char samples_suffix[] = ".samples";
static const char *const list_suffixes[] = { ".accepted", ".refused" };

static void add_digest(struct buf *out, struct str bytes, size_t count)
{
    uint8_t digest[SECRET_DIGEST_SIZE];

    secret_digest(bytes, digest);
    buf_add_hex(out, digest, count);
}

static void add_readable(struct buf *out, const char *name)
{
    for (size_t i = 0; name[i] && i < NAME_PART; i++) {
        bool plain = char_is_alnum(name[i]) || name[i] == '-';

        buf_add(out, plain ? (struct str){ &name[i], 1 } : STR("_"));
    }
}

/* The path of one of the files, in `out`, with a NUL behind it. */
static void make_path(const struct catalog_place *place, const char *suffix, struct buf *out)
{
    char names[2 * NAME_MAX + 2];
    int len = snprintf(names, sizeof(names), "%s/%s", place->registry, place->schema);
    size_t used = len < (int)sizeof(names) ? (size_t)len : sizeof(names) - 1;

    buf_init(out, PATH_MAX);
    buf_add(out, str_from_c(place->dir));
    buf_add_char(out, '/');
    add_readable(out, place->registry);
    buf_add_char(out, '.');
    add_readable(out, place->schema);
    buf_add_char(out, '.');
    add_digest(out, (struct str){ names, used }, NAME_DIGEST_BYTES);
    buf_add(out, str_from_c(suffix));
    buf_add_char(out, '\0');
}

static bool fail_damaged(struct error *err, const char *what)
{
    return fail(err, ERR_INVALID, "the cached definition is damaged: %s", what);
}

/* Take the text before the next newline off `rest`. */
static bool take_line(struct str *rest, struct str *line)
{
    const char *end = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;

    if (!end)
        return false;
    *line = (struct str){ rest->ptr, (size_t)(end - rest->ptr) };
    *rest = (struct str){ end + 1, rest->len - line->len - 1 };
    return true;
}

static bool has_digest(struct str line, struct str rest)
{
    CLEANUP(buf_done) struct buf expected = { 0 };

    buf_init(&expected, HEAD_MAX);
    buf_add(&expected, str_from_c(magic));
    add_digest(&expected, rest, SECRET_DIGEST_SIZE);
    return str_equal(line, buf_str(&expected));
}

static bool copy_version(struct json_object *head, const char *key, char *to)
{
    struct str version = json_find_str(head, key);

    if (version.len >= REGISTRY_VERSION_SIZE)
        return false;
    if (version.len > 0)
        memcpy(to, version.ptr, version.len);
    to[version.len] = '\0';
    return true;
}

/* Read the second line, which the digest covers. */
static bool read_head(const struct catalog_place *place, struct str line,
                      struct schema_definition *out, struct error *err)
{
    CLEANUP(json_cleanup) struct json_object *head = NULL;
    struct error why = { 0 };

    if (!json_read(line, NULL, &head, &why) || !json_is_object(head))
        return fail_damaged(err, "no head");
    if (!str_equal(json_find_str(head, "registry"), str_from_c(place->registry)) ||
        !str_equal(json_find_str(head, "schema"), str_from_c(place->schema)))
        return fail_damaged(err, "another schema's");
    if (!copy_version(head, "version", out->version) || !copy_version(head, "uuid", out->uuid) ||
        out->version[0] == '\0')
        return fail_damaged(err, "no version");
    return true;
}

static bool take_apart(const struct catalog_place *place, struct str text,
                       struct schema_definition *out, struct error *err)
{
    struct schema_definition definition = { 0 };
    struct str first;
    struct str second;

    if (!take_line(&text, &first) || !has_digest(first, text) || !take_line(&text, &second))
        return fail_damaged(err, "its checksum is another");
    if (!read_head(place, second, &definition, err))
        return false;
    definition.text = (struct str){ mem_copy(text.ptr, text.len), text.len };
    *out = definition;
    return true;
}

bool catalog_cache_read(const struct catalog_place *place, struct schema_definition *out,
                        struct error *err)
{
    CLEANUP(buf_done) struct buf path = { 0 };
    struct str text;

    if (!*place->dir)
        return fail(err, ERR_NOT_FOUND, "no folder for it is configured");
    make_path(place, ".schema", &path);
    if (access(path.ptr, F_OK) != 0)
        return fail(err, ERR_NOT_FOUND, "no definition is cached");
    if (!file_read_regular(path.ptr, FILE_MAX, &text, err))
        return err->code == ERR_CONFIG ? fail_damaged(err, "too long") : false;

    bool ok = take_apart(place, text, out, err);

    mem_free((void *)text.ptr);
    return ok;
}

static void write_head(const struct catalog_place *place,
                       const struct schema_definition *definition, struct buf *out)
{
    buf_add_char(out, '{');
    member_text(out, "registry", str_from_c(place->registry));
    member_text(out, "schema", str_from_c(place->schema));
    member_text(out, "version", str_from_c(definition->version));
    member_text(out, "uuid", str_from_c(definition->uuid));
    buf_add(out, STR("}\n"));
}

static bool replace(const struct catalog_place *place, const char *suffix, struct str bytes,
                    struct error *err)
{
    CLEANUP(buf_done) struct buf path = { 0 };

    make_path(place, suffix, &path);
    return file_make_parents(path.ptr, err) && file_replace(path.ptr, bytes, err);
}

bool catalog_cache_write(const struct catalog_place *place,
                         const struct schema_definition *definition, struct error *err)
{
    CLEANUP(buf_done) struct buf rest = { 0 };
    CLEANUP(buf_done) struct buf whole = { 0 };

    if (!*place->dir)
        return true;
    buf_init(&rest, FILE_MAX);
    buf_init(&whole, FILE_MAX + HEAD_MAX);
    write_head(place, definition, &rest);
    buf_add(&rest, definition->text);
    buf_add(&whole, str_from_c(magic));
    add_digest(&whole, buf_str(&rest), SECRET_DIGEST_SIZE);
    buf_add_char(&whole, '\n');
    buf_add(&whole, buf_str(&rest));
    return replace(place, ".schema", buf_str(&whole), err);
}

/* The list's lines; an empty text when there is none. The caller owns it. */
static struct str read_list(const struct catalog_place *place, enum catalog_list list)
{
    CLEANUP(buf_done) struct buf path = { 0 };
    struct error err = { 0 };
    struct str text = STR_NONE;

    if (!*place->dir)
        return STR_NONE;
    make_path(place, list_suffixes[list], &path);
    if (access(path.ptr, R_OK) != 0 || !file_read_regular(path.ptr, LIST_MAX, &text, &err))
        return STR_NONE;
    return text;
}

static bool has_line(struct str text, const char *version)
{
    struct str line;

    while (*version && take_line(&text, &line))
        if (str_equal_ignore_case(str_trim(line), str_from_c(version)))
            return true;
    return false;
}

bool catalog_cache_lists(const struct catalog_place *place, enum catalog_list list,
                         const struct schema_definition *definition)
{
    struct str text = read_list(place, list);
    bool found = has_line(text, definition->version) || has_line(text, definition->uuid);
    const char *plus = strchr(definition->version, '+');
    char own[REGISTRY_VERSION_SIZE];

    /* Accepting "4" accepts it with every version of what it refers to. */
    if (!found && plus && list == CATALOG_ACCEPTED) {
        (void)snprintf(own, sizeof(own), "%.*s", (int)(plus - definition->version),
                       definition->version);
        found = has_line(text, own);
    }

    mem_free((void *)text.ptr);
    return found;
}

bool catalog_cache_note(const struct catalog_place *place, enum catalog_list list,
                        const char *version, struct error *err)
{
    CLEANUP(buf_done) struct buf text = { 0 };
    struct str old;

    if (!*place->dir)
        return true;
    old = read_list(place, list);
    buf_init(&text, LIST_MAX);
    if (!has_line(old, version)) {
        buf_add(&text, old);
        if (!buf_reserve(&text, REGISTRY_VERSION_SIZE + 1))
            buf_clear(&text); /* too long: drop the oldest entries */
        buf_printf(&text, "%s\n", version);
    }
    mem_free((void *)old.ptr);
    return text.len == 0 || replace(place, list_suffixes[list], buf_str(&text), err);
}

bool catalog_cache_write_samples(const struct catalog_place *place, struct samples *samples,
                                 struct error *err)
{
    CLEANUP(buf_done) struct buf text = { 0 };

    buf_init(&text, SAMPLES_MAX);
    samples_write(samples, &text);
    return replace(place, samples_suffix, buf_str(&text), err);
}

void catalog_cache_read_samples(const struct catalog_place *place, struct samples *samples)
{
    CLEANUP(buf_done) struct buf path = { 0 };
    struct error err = { 0 };
    struct str text;
    struct str line;

    make_path(place, samples_suffix, &path);
    if (access(path.ptr, R_OK) != 0 || !file_read_regular(path.ptr, SAMPLES_MAX, &text, &err))
        return;
    for (struct str rest = text; take_line(&rest, &line);)
        samples_add(samples, line, clock_now_us());
    mem_free((void *)text.ptr);
}

void catalog_cache_remove_samples(const struct catalog_place *place)
{
    CLEANUP(buf_done) struct buf path = { 0 };

    make_path(place, samples_suffix, &path);
    (void)unlink(path.ptr);
}
