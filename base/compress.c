/*
 * compress.c - see compress.h. The only user of zlib and libzstd.
 */
#include "base/compress.h"

#include <limits.h>
#include <zlib.h>
#include <zstd.h>

#include "base/memory.h"

enum {
    WINDOW_GZIP = 15 + 16, /* the largest window, and a gzip header */
    MEMORY = 8,            /* zlib's default */
    PIECE = 16 * 1024,     /* output that is made room for at a time */
};

struct compressor {
    enum compress_format format;
    struct buf *out;
    z_stream gzip;
    ZSTD_CCtx *zstd;
};

struct compressor *compressor_create(enum compress_format format, struct buf *out)
{
    struct compressor *compressor = mem_alloc(sizeof(*compressor));

    compressor->format = format;
    compressor->out = out;
    if (format == COMPRESS_GZIP &&
        deflateInit2(&compressor->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_GZIP, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        mem_out_of_memory();
    if (format == COMPRESS_ZSTD) {
        compressor->zstd = mem_check(ZSTD_createCCtx());
        (void)ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_checksumFlag, 1);
    }
    return compressor;
}

static void add_gzip(struct compressor *compressor, struct str bytes, bool is_last)
{
    z_stream *stream = &compressor->gzip;
    size_t left = bytes.len;
    int state = Z_OK;

    stream->next_in = (z_const Bytef *)bytes.ptr;
    stream->avail_in = 0;
    do {
        char *room = buf_reserve(compressor->out, PIECE);

        if (!room)
            return;
        if (stream->avail_in == 0) {
            stream->avail_in = left > UINT_MAX ? UINT_MAX : (uInt)left;
            left -= stream->avail_in;
        }
        stream->next_out = (Bytef *)room;
        stream->avail_out = PIECE;
        state = deflate(stream, is_last ? Z_FINISH : Z_NO_FLUSH);
        compressor->out->len += PIECE - stream->avail_out;
    } while (is_last ? state != Z_STREAM_END : stream->avail_in > 0 || left > 0);
}

static void add_zstd(struct compressor *compressor, struct str bytes, bool is_last)
{
    ZSTD_inBuffer in = { bytes.ptr, bytes.len, 0 };
    size_t left;

    do {
        char *room = buf_reserve(compressor->out, PIECE);
        ZSTD_outBuffer out = { room, PIECE, 0 };

        if (!room)
            return;
        left = ZSTD_compressStream2(compressor->zstd, &out, &in,
                                    is_last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            mem_out_of_memory(); /* the only failure of a context whose parameters are valid */
        compressor->out->len += out.pos;
    } while (is_last ? left > 0 : in.pos < in.size);
}

static void add_piece(struct compressor *compressor, struct str bytes, bool is_last)
{
    if (compressor->format == COMPRESS_GZIP)
        add_gzip(compressor, bytes, is_last);
    else if (compressor->format == COMPRESS_ZSTD)
        add_zstd(compressor, bytes, is_last);
    else
        buf_add(compressor->out, bytes);
}

void compressor_add(struct compressor *compressor, struct str bytes)
{
    if (bytes.len > 0)
        add_piece(compressor, bytes, false);
}

void compressor_end(struct compressor *compressor)
{
    add_piece(compressor, STR(""), true);
}

void compressor_destroy(struct compressor *compressor)
{
    if (!compressor)
        return;
    if (compressor->format == COMPRESS_GZIP)
        (void)deflateEnd(&compressor->gzip);
    (void)ZSTD_freeCCtx(compressor->zstd);
    mem_free(compressor);
}

void compress_all(enum compress_format format, struct str text, struct buf *out)
{
    struct compressor *compressor = compressor_create(format, out);

    compressor_add(compressor, text);
    compressor_end(compressor);
    compressor_destroy(compressor);
}
