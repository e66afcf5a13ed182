/*
 * yaml_nodes.c - see yaml_nodes.h.
 *
 * A node knows its parent and its own key only. Sorted by both, the children of a node stand
 * together: looking one up is a binary search, and a duplicate key stands next to the first.
 */
#include "settings/yaml_nodes.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/memory.h"

struct node {
    struct str key; /* an element's index in decimal */
    uint32_t id;    /* its place in the list */
    uint32_t parent;
    uint32_t line;
    bool is_index;
    bool is_duplicate;
};

struct yaml_nodes {
    struct arena *arena; /* holds the keys */
    struct node *list;
    size_t count;
    size_t capacity;
    const struct node **order; /* by parent and key, without node 0; NULL: not yet */
};

static size_t add(struct yaml_nodes *nodes, struct node node)
{
    if (nodes->count == nodes->capacity) {
        nodes->capacity = nodes->capacity ? 2 * nodes->capacity : 64;
        nodes->list = mem_realloc(nodes->list, nodes->capacity * sizeof(*nodes->list));
    }
    node.id = (uint32_t)nodes->count;
    nodes->list[nodes->count] = node;
    return nodes->count++;
}

struct yaml_nodes *yaml_nodes_create(void)
{
    struct yaml_nodes *nodes = mem_alloc(sizeof(*nodes));

    nodes->arena = arena_create();
    (void)add(nodes, (struct node){ .line = 1 });
    return nodes;
}

void yaml_nodes_destroy(struct yaml_nodes *nodes)
{
    if (!nodes)
        return;
    arena_destroy(nodes->arena);
    mem_free(nodes->list);
    mem_free((void *)nodes->order);
    mem_free(nodes);
}

void yaml_nodes_begin(struct yaml_nodes *nodes, size_t line)
{
    nodes->list[0].line = (uint32_t)line;
}

size_t yaml_nodes_add_member(struct yaml_nodes *nodes, size_t parent, struct str key, size_t line)
{
    return add(nodes, (struct node){ .key = arena_copy(nodes->arena, key),
                                     .parent = (uint32_t)parent,
                                     .line = (uint32_t)line });
}

size_t yaml_nodes_add_element(struct yaml_nodes *nodes, size_t parent, size_t index, size_t line)
{
    return add(nodes, (struct node){ .key = arena_printf(nodes->arena, "%zu", index),
                                     .parent = (uint32_t)parent,
                                     .line = (uint32_t)line,
                                     .is_index = true });
}

static int compare(const struct node *a, const struct node *b)
{
    if (a->parent != b->parent)
        return a->parent < b->parent ? -1 : 1;
    return str_compare(a->key, b->key);
}

/* For qsort(): alike ones in the file's order. */
static int compare_places(const void *left, const void *right)
{
    const struct node *a = *(const struct node *const *)left;
    const struct node *b = *(const struct node *const *)right;
    int order = compare(a, b);

    return order != 0 ? order : (a->id > b->id) - (a->id < b->id);
}

void yaml_nodes_sort(struct yaml_nodes *nodes)
{
    size_t count = nodes->count - 1;

    nodes->order = mem_alloc_array(count + 1, sizeof(const struct node *));
    for (size_t i = 0; i < count; i++)
        nodes->order[i] = &nodes->list[i + 1];
    qsort((void *)nodes->order, count, sizeof(const struct node *), compare_places);
    for (size_t i = 1; i < count; i++)
        if (compare(nodes->order[i - 1], nodes->order[i]) == 0)
            nodes->list[nodes->order[i]->id].is_duplicate = true;
}

size_t yaml_nodes_count(const struct yaml_nodes *nodes)
{
    return nodes->count;
}

bool yaml_nodes_is_duplicate(const struct yaml_nodes *nodes, size_t node)
{
    return nodes->list[node].is_duplicate;
}

size_t yaml_nodes_line(const struct yaml_nodes *nodes, size_t node)
{
    return nodes->list[node].line;
}

/* A key without what would break the one line of an error. */
static void add_key(struct buf *out, struct str key)
{
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.ptr[i];

        if (c < 0x20 || c == 0x7f)
            buf_add_char(out, '?');
        else
            buf_add_char(out, key.ptr[i]);
    }
}

/* Recurses as deep as the document, which its reader bounds. */
void yaml_nodes_path(const struct yaml_nodes *nodes, size_t node, struct buf *out)
{
    const struct node *here = &nodes->list[node];

    if (node == 0)
        return;
    yaml_nodes_path(nodes, here->parent, out);
    if (here->is_index) {
        buf_add_char(out, '[');
        buf_add(out, here->key);
        buf_add_char(out, ']');
        return;
    }
    if (here->parent != 0)
        buf_add_char(out, '.');
    add_key(out, here->key);
}

/* Recurses as deep as the document, which its reader bounds. */
void yaml_nodes_pointer(const struct yaml_nodes *nodes, size_t node, struct buf *out)
{
    if (node == 0)
        return;
    yaml_nodes_pointer(nodes, nodes->list[node].parent, out);
    buf_add_char(out, '/');
    json_write_pointer_token(out, nodes->list[node].key);
}

/* The child of `parent` with this key, or 0. */
static size_t find_child(const struct yaml_nodes *nodes, size_t parent, struct str key)
{
    struct node wanted = { .key = key, .parent = (uint32_t)parent };
    size_t low = 0;
    size_t high = nodes->count - 1;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(nodes->order[middle], &wanted);

        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < nodes->count - 1 && compare(nodes->order[low], &wanted) == 0)
        return nodes->order[low]->id;
    return 0;
}

size_t yaml_nodes_find(const struct yaml_nodes *nodes, struct str pointer)
{
    size_t node = 0;

    while (pointer.len > 0) {
        size_t child = find_child(nodes, node, json_pointer_take(&pointer, nodes->arena));

        if (child == 0)
            break;
        node = child;
    }
    return node;
}
