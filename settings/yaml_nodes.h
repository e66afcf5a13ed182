/*
 * yaml_nodes.h - where each member and element of a YAML document stands in its file.
 *
 * The list grows while the document is read, is put in order once, and is looked up from then on.
 * It takes memory in proportion to the file, whatever the nesting.
 *
 * Threads: immutable once in order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct yaml_nodes;

/** A list with node 0, the document itself. The caller owns it. */
struct yaml_nodes *yaml_nodes_create(void);

/** NULL is fine. */
void yaml_nodes_destroy(struct yaml_nodes *nodes);

/** The document begins here. */
void yaml_nodes_begin(struct yaml_nodes *nodes, size_t line);

/** A member of node `parent`; its number. */
size_t yaml_nodes_add_member(struct yaml_nodes *nodes, size_t parent, struct str key, size_t line);

/** The element `index` of node `parent`; its number. */
size_t yaml_nodes_add_element(struct yaml_nodes *nodes, size_t parent, size_t index, size_t line);

/** Put it in order. */
void yaml_nodes_sort(struct yaml_nodes *nodes);

/** How many nodes there are, node 0 included; they are numbered in the file's order. */
size_t yaml_nodes_count(const struct yaml_nodes *nodes);

/** Is it a member whose key an earlier member of its object has? Once in order only. */
bool yaml_nodes_is_duplicate(const struct yaml_nodes *nodes, size_t node);

/** The line of a node. */
size_t yaml_nodes_line(const struct yaml_nodes *nodes, size_t node);

/** Add the path of a node for people: `http.listen`, `routes[0].match`; nothing for node 0. */
void yaml_nodes_path(const struct yaml_nodes *nodes, size_t node, struct buf *out);

/** Add the JSON Pointer of a node. */
void yaml_nodes_pointer(const struct yaml_nodes *nodes, size_t node, struct buf *out);

/**
 * The node at this JSON Pointer, else its nearest parent; the first of duplicates. Once in order
 * only.
 */
size_t yaml_nodes_find(const struct yaml_nodes *nodes, struct str pointer);
