/*
 * profile.c - see profile.h.
 *
 * Each text is kept as one copy and split into C strings in place: wiping it wipes every secret.
 */
#include "aws/profile.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/chars.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"

enum {
    FILE_MAX = 1024 * 1024, /* bytes; real files have a few hundred */
    TEXTS_MAX = 2,          /* the configuration file and the credentials file */
};

enum section_kind { SECTION_PROFILE, SECTION_SERVICES, SECTION_OTHER };

/* One line `name = value` with its section, or the line of a section itself. */
struct property {
    enum section_kind kind;
    const char *section;
    const char *parent; /* of a nested property: the property that contains it; else "" */
    const char *name;   /* "": the line of the section */
    const char *value;
};

struct aws_profiles {
    struct str texts[TEXTS_MAX];
    size_t text_count;
    struct property *list;
    size_t count;
    size_t capacity;
};

struct aws_profiles *aws_profiles_create(void)
{
    return mem_alloc(sizeof(struct aws_profiles));
}

void aws_profiles_destroy(struct aws_profiles *profiles)
{
    if (!profiles)
        return;
    for (size_t i = 0; i < profiles->text_count; i++)
        secret_free(profiles->texts[i]);
    mem_free(profiles->list);
    mem_free(profiles);
}

static void add(struct aws_profiles *profiles, const struct property *property)
{
    profiles->list =
        mem_grow(profiles->list, profiles->count, &profiles->capacity, sizeof(*profiles->list));
    profiles->list[profiles->count++] = *property;
}

static bool is_blank(char c)
{
    return char_is_one_of(c, " \t\r\f\v");
}

/* Remove white space at both ends, in place. */
static char *trim(char *text)
{
    size_t len;

    while (is_blank(*text))
        text++;
    len = strlen(text);
    while (len > 0 && is_blank(text[len - 1]))
        len--;
    text[len] = '\0';
    return text;
}

/* Remove a comment, which begins with # or ; after white space. */
static void cut_comment(char *text)
{
    for (char *at = text; *at; at++) {
        if ((*at == '#' || *at == ';') && at > text && is_blank(at[-1])) {
            *at = '\0';
            return;
        }
    }
}

static void make_lower(char *text)
{
    for (; *text; text++)
        *text = char_lower(*text);
}

static char *strip_quotes(char *text)
{
    size_t len = strlen(text);

    if (len < 2 || (*text != '"' && *text != '\'') || text[len - 1] != *text)
        return text;
    text[len - 1] = '\0';
    return text + 1;
}

/* Set the kind and name of a section from its title: "profile NAME", "services NAME", "default". */
static void read_section(char *title, enum aws_profile_file file, struct property *now)
{
    static const struct {
        const char *word;
        enum section_kind kind;
    } words[] = { { "profile", SECTION_PROFILE }, { "services", SECTION_SERVICES } };

    *now = (struct property){ SECTION_OTHER, title, "", "", "" };
    if (file == AWS_CREDENTIALS_FILE || strcmp(title, "default") == 0) {
        now->kind = SECTION_PROFILE;
        now->section = strip_quotes(title);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        size_t len = strlen(words[i].word);

        if (strncmp(title, words[i].word, len) == 0 && is_blank(title[len])) {
            now->kind = words[i].kind;
            now->section = strip_quotes(trim(title + len));
        }
    }
}

/* Read one line. `now` is the current section and property. Returns NULL or the error's text. */
static const char *read_line(struct aws_profiles *profiles, char *line, enum aws_profile_file file,
                             struct property *now)
{
    bool nested = is_blank(*line);

    line = trim(line);
    if (*line == '\0' || *line == '#' || *line == ';')
        return NULL;
    if (*line == '[' && !nested) {
        char *end = strchr(line, ']');

        if (!end)
            return "a section without ]";
        *end = '\0';
        read_section(trim(line + 1), file, now);
        add(profiles, now);
        return NULL;
    }

    char *equals = strchr(line, '=');

    if (nested && *now->value)
        return NULL; /* a continuation line: no property that Sluice reads has one */
    if (!equals || equals == line)
        return "neither a section nor NAME = VALUE";
    if (!now->section)
        return "it stands before the first section";
    *equals = '\0';
    make_lower(line);
    cut_comment(equals + 1);

    struct property property = *now;

    property.parent = nested ? now->name : "";
    property.name = trim(line);
    property.value = trim(equals + 1);
    add(profiles, &property);
    if (!nested)
        *now = property;
    return NULL;
}

bool aws_profiles_add(struct aws_profiles *profiles, struct str text, enum aws_profile_file kind,
                      const char *where, struct error *err)
{
    struct property now = { SECTION_OTHER, NULL, "", "", "" };
    int number = 1;
    char *rest;

    if (profiles->text_count == TEXTS_MAX || (text.len > 0 && memchr(text.ptr, '\0', text.len)))
        return fail(err, ERR_CONFIG, "%s: not a text", where);
    rest = mem_copy(text.ptr ? text.ptr : "", text.len);
    profiles->texts[profiles->text_count++] = (struct str){ rest, text.len };
    if (str_starts_with(text, STR("\xEF\xBB\xBF")))
        rest += 3;
    for (char *line = rest; line; number++) {
        rest = strchr(line, '\n');
        if (rest)
            *rest++ = '\0';

        const char *problem = read_line(profiles, line, kind, &now);

        if (problem)
            return fail(err, ERR_CONFIG, "%s:%d: %s", where, number, problem);
        line = rest;
    }
    return true;
}

bool aws_profiles_add_file(struct aws_profiles *profiles, const char *path,
                           enum aws_profile_file kind, struct error *err)
{
    struct str text;

    if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return true;
    if (strcmp(path, "/dev/null") == 0) /* the usual way to disable profiles */
        return true;
    if (!file_read_regular(path, FILE_MAX, &text, err)) {
        err->code = ERR_CONFIG;
        return false;
    }

    bool ok = aws_profiles_add(profiles, text, kind, path, err);

    secret_free(text);
    return ok;
}

/* The last match wins. `wanted->value` is ignored. */
static const struct property *find_property(const struct aws_profiles *profiles,
                                            const struct property *wanted)
{
    for (size_t i = profiles->count; i-- > 0;) {
        const struct property *property = &profiles->list[i];

        if (property->kind == wanted->kind && strcmp(property->section, wanted->section) == 0 &&
            strcmp(property->parent, wanted->parent) == 0 &&
            strcmp(property->name, wanted->name) == 0)
            return property;
    }
    return NULL;
}

bool aws_profiles_has(const struct aws_profiles *profiles, const char *name)
{
    return find_property(profiles, &(struct property){ SECTION_PROFILE, name, "", "", "" }) != NULL;
}

const char *aws_profiles_get(const struct aws_profiles *profiles, const char *name,
                             const char *property)
{
    const struct property *found =
        find_property(profiles, &(struct property){ SECTION_PROFILE, name, "", property, "" });

    return found ? found->value : "";
}

const char *aws_profiles_next(const struct aws_profiles *profiles, const char *property, size_t *at)
{
    while (*at < profiles->count) {
        const struct property *one = &profiles->list[(*at)++];

        if (one->kind == SECTION_PROFILE && !*one->parent && strcmp(one->name, property) == 0)
            return one->value;
    }
    return NULL;
}

const char *aws_profiles_service_endpoint(const struct aws_profiles *profiles, const char *name,
                                          const char *service)
{
    const char *services = aws_profiles_get(profiles, name, "services");
    const struct property *found = find_property(
        profiles, &(struct property){ SECTION_SERVICES, services, service, "endpoint_url", "" });

    return found ? found->value : "";
}
