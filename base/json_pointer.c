/*
 * json_pointer.c - JSON Pointer (RFC 6901); see flat.h.
 */
#include <string.h>

#include "base/chars.h"
#include "base/json_internal.h"

struct token {
    struct str text; /* a NUL follows */
    size_t index;    /* as the index of an element, or JSON_NO_INDEX */
};

struct json_pointer {
    char *bytes; /* the tokens, unescaped */
    size_t count;
    struct token tokens[];
};

/* `-` names the element after the last one, which never exists. */
size_t json_pointer_index(struct str token)
{
    int64_t index;

    if ((token.len > 1 && token.ptr[0] == '0') || !whole_number(token, INT64_MAX, &index))
        return JSON_NO_INDEX;
    return (size_t)index;
}

static bool check_text(struct str text, struct error *err)
{
    if (text.len > 0 && text.ptr[0] != '/')
        return fail(err, ERR_MALFORMED, "a JSON Pointer is empty or begins with '/'");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '~' && !next_is_one_of(str_from(text, i + 1), "01"))
            return fail(err, ERR_MALFORMED, "in a JSON Pointer '~' is written ~0, and '/' ~1");
    }
    return true;
}

bool json_pointer_is_valid(struct str text)
{
    struct error err;

    return check_text(text, &err);
}

/* Take the first token off: unescaped to `to`, with a NUL. */
static struct str take_token(struct str *pointer, char *to)
{
    struct str rest = str_from(*pointer, 1);
    struct str token = take_until(&rest, '/');
    size_t len = 0;

    *pointer = str_from(*pointer, 1 + token.len);
    for (size_t i = 0; i < token.len; i++) {
        bool escape = token.ptr[i] == '~' && next_is_one_of(str_from(token, i + 1), "01");

        if (escape)
            i++;
        to[len] = token.ptr[i];
        if (escape)
            to[len] = token.ptr[i] == '0' ? '~' : '/';
        len++;
    }
    to[len] = '\0';
    return (struct str){ to, len };
}

struct str json_pointer_take(struct str *pointer, struct arena *arena)
{
    struct str rest = str_from(*pointer, 1);

    return take_token(pointer, arena_alloc(arena, take_until(&rest, '/').len + 1));
}

static size_t count_tokens(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '/';
    return count;
}

bool json_pointer_create(struct str text, struct json_pointer **out, struct error *err)
{
    if (!check_text(text, err))
        return false;

    size_t count = count_tokens(text);
    struct json_pointer *pointer = mem_alloc(sizeof(*pointer) + count * sizeof(struct token));

    /* The `/` of each token makes room for its NUL. */
    char *free = pointer->bytes = mem_alloc(text.len);

    pointer->count = count;
    for (size_t i = 0; i < count; i++) {
        struct str token = take_token(&text, free);

        pointer->tokens[i] = (struct token){
            .text = token,
            .index = json_pointer_index(token),
        };
        free += token.len + 1;
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

/* NULL: there is none. */
static const struct flat *find_child(const struct flat *value, const struct token *token)
{
    if (flat_is_object(value))
        return flat_find(value, token->text);
    return flat_is_array(value) ? flat_at(value, token->index) : NULL;
}

const struct flat *flat_pointer_prefix(const struct json_pointer *pointer, size_t count,
                                       const struct flat *root)
{
    for (size_t i = 0; i < count && root; i++)
        root = find_child(root, &pointer->tokens[i]);
    return root;
}

struct str json_pointer_token(const struct json_pointer *pointer, size_t index)
{
    return pointer->tokens[index].text;
}

enum json_lookup flat_pointer_find(const struct json_pointer *pointer, const struct flat *root,
                                   const struct flat **value, size_t *stop)
{
    const struct flat *at = root;

    for (size_t i = 0; i < pointer->count; i++) {
        const struct flat *child = find_child(at, &pointer->tokens[i]);

        if (UNLIKELY(!child)) {
            bool is_container = flat_is_object(at) || flat_is_array(at);

            if (stop)
                *stop = is_container ? i + 1 : i;
            return is_container ? JSON_ABSENT : JSON_NO_CONTAINER;
        }
        at = child;
    }
    *value = at;
    return JSON_FOUND;
}

/* As flat_pointer_find() for one token. NULL is a value, too. */
static enum json_lookup step(const struct token *token, struct json_object **value)
{
    if (json_is_object(*value)) {
        bool is_key = !memchr(token->text.ptr, '\0', token->text.len);

        return is_key && json_find(*value, token->text.ptr, value) ? JSON_FOUND : JSON_ABSENT;
    }
    if (!json_is_array(*value))
        return JSON_NO_CONTAINER;
    if (token->index >= json_count(*value))
        return JSON_ABSENT;
    *value = json_at(*value, token->index);
    return JSON_FOUND;
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
