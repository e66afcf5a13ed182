/*
 * json_pointer.c - JSON Pointer (RFC 6901), read once and followed often; see json.h.
 *
 * Each token carries json-c's hash of itself, so that a member costs a look-up and no hashing.
 */
#include <string.h>

#include "base/json_internal.h"
#include "base/memory.h"

/* No array has this many elements. */
#define NO_INDEX SIZE_MAX

struct token {
    struct str text; /* NUL behind it */
    unsigned long hash;
    size_t index;  /* as an array's index, or NO_INDEX */
    bool possible; /* as a key: json-c's end at a NUL */
};

struct json_pointer {
    char *bytes; /* the tokens, unescaped */
    size_t count;
    struct token tokens[];
};

/* `-` names the element behind the last one, which is not there. */
static size_t parse_index(struct str token)
{
    size_t index = 0;

    if (token.len == 0 || (token.len > 1 && token.ptr[0] == '0'))
        return NO_INDEX;
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] < '0' || token.ptr[i] > '9' || index > (NO_INDEX - 9) / 10)
            return NO_INDEX;
        index = index * 10 + (size_t)(token.ptr[i] - '0');
    }
    return index;
}

static bool check(struct str text, struct error *err)
{
    if (text.len > 0 && text.ptr[0] != '/')
        return fail(err, ERR_MALFORMED, "a JSON Pointer is empty or begins with '/'");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '~' &&
            (i + 1 == text.len || (text.ptr[i + 1] != '0' && text.ptr[i + 1] != '1')))
            return fail(err, ERR_MALFORMED, "in a JSON Pointer '~' is written ~0, and '/' ~1");
    }
    return true;
}

static size_t count_tokens(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '/';
    return count;
}

/* Unescapes the token that begins at `*from`, moves `*from` behind it; `to` gets it with a NUL. */
static size_t copy_token(struct str text, size_t *from, char *to)
{
    size_t len = 0;
    size_t at = *from;

    for (; at < text.len && text.ptr[at] != '/'; at++) {
        char c = text.ptr[at];

        if (c == '~')
            c = text.ptr[++at] == '0' ? '~' : '/';
        to[len++] = c;
    }
    to[len] = '\0';
    *from = at;
    return len;
}

bool json_pointer_create(struct str text, struct json_pointer **out, struct error *err)
{
    if (!check(text, err))
        return false;

    CLEANUP(json_cleanup) struct json_object *hashing = json_made(json_object_new_object());
    size_t count = count_tokens(text);
    struct json_pointer *pointer = mem_alloc(sizeof(*pointer) + count * sizeof(struct token));
    size_t at = 0;

    /* A token's `/` makes room for its NUL. */
    char *free = pointer->bytes = mem_alloc(text.len);

    pointer->count = count;
    for (size_t i = 0; i < count; i++) {
        at++;

        size_t len = copy_token(text, &at, free);

        pointer->tokens[i] = (struct token){
            .text = { free, len },
            .hash = lh_get_hash(json_object_get_object(hashing), free),
            .index = parse_index((struct str){ free, len }),
            .possible = !memchr(free, '\0', len),
        };
        free += len + 1;
    }
    *out = pointer;
    return true;
}

void json_pointer_destroy(struct json_pointer *pointer)
{
    if (!pointer)
        return;
    mem_free(pointer->bytes);
    mem_free(pointer);
}

static enum json_lookup find_member(const struct token *token, struct json_object **value)
{
    struct lh_table *members = json_object_get_object(*value);
    const struct lh_entry *member =
        token->possible ? lh_table_lookup_entry_w_hash(members, token->text.ptr, token->hash)
                        : NULL;

    if (!member)
        return JSON_ABSENT;
    *value = json_value(member);
    return JSON_FOUND;
}

/* From `*value` one step down. */
static enum json_lookup step(const struct token *token, struct json_object **value)
{
    switch (json_object_get_type(*value)) {
    case json_type_object:
        return find_member(token, value);
    case json_type_array:
        if (token->index >= json_count(*value))
            return JSON_ABSENT;
        *value = json_at(*value, token->index);
        return JSON_FOUND;
    default:
        return JSON_NO_CONTAINER;
    }
}

enum json_lookup json_pointer_find(const struct json_pointer *pointer, struct json_object *root,
                                   struct json_object **value, size_t *stop)
{
    struct json_object *at = root;

    for (size_t i = 0; i < pointer->count; i++) {
        enum json_lookup found = step(&pointer->tokens[i], &at);

        if (found == JSON_FOUND)
            continue;
        if (stop)
            *stop = found == JSON_ABSENT ? i + 1 : i;
        return found;
    }
    *value = at;
    return JSON_FOUND;
}

struct str json_pointer_dotted(const struct json_pointer *pointer, size_t count,
                               struct arena *arena)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    for (size_t i = 0; i < count && i < pointer->count; i++) {
        if (i > 0)
            buf_add_char(&text, '.');
        buf_add(&text, pointer->tokens[i].text);
    }
    return arena_copy(arena, buf_str(&text));
}

size_t json_pointer_depth(const struct json_pointer *pointer)
{
    return pointer->count;
}
