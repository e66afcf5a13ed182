/*
 * test_compress.c - base/compress.h, read back with zlib and libzstd.
 */
#include "base/compress.h"

#include <assert.h>
#include <stdio.h>
#include <zlib.h>
#include <zstd.h>

#include "base/attr.h"
#include "base/memory.h"
#include "tests/unit/test.h"

enum { LONG = 3 * 1024 * 1024, MOST = 8 * 1024 * 1024 };

static const enum compress_format formats[] = { COMPRESS_NONE, COMPRESS_GZIP, COMPRESS_ZSTD };

static void squeeze(enum compress_format format, struct str text, size_t piece, struct buf *out)
{
    struct compressor *compressor = compressor_create(format, out);

    for (size_t at = 0; at < text.len; at += piece) {
        struct str rest = str_from(text, at);

        rest.len = rest.len < piece ? rest.len : piece;
        compressor_add(compressor, rest);
    }
    compressor_end(compressor);
    compressor_destroy(compressor);
}

static size_t expand_gzip(struct str bytes, void *out, size_t size)
{
    z_stream stream = { .next_in = (z_const Bytef *)bytes.ptr,
                        .avail_in = (uInt)bytes.len,
                        .next_out = out,
                        .avail_out = (uInt)size };

    assert(inflateInit2(&stream, 15 + 16) == Z_OK);
    CHECK_INT(inflate(&stream, Z_FINISH), Z_STREAM_END);
    CHECK_INT(stream.avail_in, 0); /* one member, and nothing behind it */
    (void)inflateEnd(&stream);
    return size - stream.avail_out;
}

static struct str expand(enum compress_format format, struct str bytes, char *out)
{
    if (format == COMPRESS_NONE)
        return bytes;
    if (format == COMPRESS_GZIP)
        return (struct str){ out, expand_gzip(bytes, out, MOST) };
    return (struct str){ out, ZSTD_decompress(out, MOST, bytes.ptr, bytes.len) };
}

/* Text that compresses, but not to nothing. */
static struct str make_text(size_t len)
{
    char *text = mem_alloc(len + 1);
    uint32_t random = 1;

    for (size_t i = 0; i < len; i++) {
        random = random * 1664525 + 1013904223;
        text[i] = (char)('a' + (random >> 28));
    }
    return (struct str){ text, len };
}

static void what_is_compressed_comes_back(void)
{
    static const size_t lengths[] = { 0, 1, 1000, LONG };
    char *back = mem_alloc(MOST);

    for (size_t i = 0; i < COUNT_OF(lengths) * COUNT_OF(formats); i++) {
        enum compress_format format = formats[i % COUNT_OF(formats)];
        struct str text = make_text(lengths[i / COUNT_OF(formats)]);
        CLEANUP(buf_done) struct buf out;

        buf_init(&out, MOST);
        squeeze(format, text, 700, &out);
        CHECK(str_equal(expand(format, buf_str(&out), back), text));
        CHECK(format == COMPRESS_NONE || text.len < 1000 || out.len < text.len * 3 / 4);
        mem_free((void *)text.ptr);
    }
    mem_free(back);
}

/* A repeated delivery must have the same bytes. */
static void pieces_and_time_do_not_matter(void)
{
    struct str text = make_text(LONG);

    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        CLEANUP(buf_done) struct buf one;
        CLEANUP(buf_done) struct buf many;

        buf_init(&one, MOST);
        buf_init(&many, MOST);
        squeeze(formats[i], text, LONG, &one);
        squeeze(formats[i], text, 61, &many);
        CHECK(str_equal(buf_str(&one), buf_str(&many)));
        if (formats[i] == COMPRESS_GZIP)
            CHECK(memcmp(one.ptr + 4, "\0\0\0\0", 4) == 0); /* RFC 1952: MTIME */
    }
    mem_free((void *)text.ptr);
}

static void a_full_buffer_overflows(void)
{
    struct str text = make_text(LONG);

    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        CLEANUP(buf_done) struct buf out;

        buf_init(&out, 100000);
        squeeze(formats[i], text, 5000, &out);
        CHECK(out.overflow);
    }
    mem_free((void *)text.ptr);
}

int main(void)
{
    RUN(what_is_compressed_comes_back);
    RUN(pieces_and_time_do_not_matter);
    RUN(a_full_buffer_overflows);
    return test_end();
}
