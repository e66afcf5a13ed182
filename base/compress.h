/*
 * compress.h - compresses text piece by piece, as gzip (RFC 1952) or Zstandard (RFC 8878).
 *
 * Equal bytes give equal results, however they are cut into pieces: there is no time in the header.
 *
 * Threads: a compressor belongs to one thread at a time.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum compress_format { COMPRESS_NONE, COMPRESS_GZIP, COMPRESS_ZSTD };

struct compressor;

/** Appends to `out`, which must outlive it and overflows when it has no room. The caller owns it.
 */
struct compressor *compressor_create(enum compress_format format, struct buf *out);

void compressor_add(struct compressor *compressor, struct str bytes);

/** Append what is left, and the end of the format. Call it once, after the last piece. */
void compressor_end(struct compressor *compressor);

/** NULL is fine. */
void compressor_destroy(struct compressor *compressor);

/** Append `text`, compressed, to `out`, which overflows when it has no room. */
void compress_all(enum compress_format format, struct str text, struct buf *out);
