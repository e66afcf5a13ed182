/*
 * s3_object.c - see s3_object.h.
 */
#include "delivery/sinks/s3_object.h"

#include "base/chars.h"
#include "base/secret.h"

#define NUMBER_MAX INT64_C(99999999999999999) /* sums of two fit int64_t */

enum {
    HEX_SIZE = 2 * SECRET_DIGEST_SIZE,
    CRC_BYTES = 4,
    CRC_VALUES = 256,
};

struct str s3_lines_digest(struct s3_lines lines, struct arena *arena)
{
    struct str *parts = arena_alloc(arena, 2 * lines.count * sizeof(*parts));
    struct buf *hex = arena_buf(arena, HEX_SIZE);
    uint8_t digest[SECRET_DIGEST_SIZE];

    for (size_t i = 0; i < lines.count; i++) {
        parts[2 * i] = lines.records[i]->bytes;
        parts[2 * i + 1] = STR("\n");
    }
    secret_digest_parts(parts, 2 * lines.count, digest);
    buf_add_hex(hex, digest, sizeof(digest));
    return buf_str(hex);
}

void s3_lines_write(struct s3_lines lines, enum compress_format format, struct buf *out)
{
    struct compressor *compressor = compressor_create(format, out);

    for (size_t i = 0; i < lines.count; i++) {
        compressor_add(compressor, lines.records[i]->bytes);
        compressor_add(compressor, STR("\n"));
    }
    compressor_end(compressor);
    compressor_destroy(compressor);
}

struct str s3_lines_range(struct s3_lines lines, struct str digest, struct arena *arena)
{
    return arena_printf(arena, "%lld-%lld %zu %.*s", (long long)lines.records[0]->sequence,
                        (long long)s3_lines_last(lines), lines.count, STR_ARG(digest));
}

/* The polynomial of RFC 3720, section 12.1, with the bits reversed. */
static void fill_crc_table(uint32_t table[static CRC_VALUES])
{
    for (uint32_t i = 0; i < CRC_VALUES; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? UINT32_C(0x82F63B78) : 0);
    }
}

struct str s3_crc32c(struct str bytes, struct arena *arena)
{
    uint32_t table[CRC_VALUES];
    uint32_t crc = UINT32_MAX;
    char big_endian[CRC_BYTES];

    fill_crc_table(table);
    for (size_t i = 0; i < bytes.len; i++)
        crc = crc >> 8 ^ table[(crc ^ (unsigned char)bytes.ptr[i]) & 0xff];
    crc = ~crc;
    for (int i = 0; i < CRC_BYTES; i++)
        big_endian[i] = (char)(crc >> (24 - 8 * i) & 0xff);

    struct str text = secret_base64((struct str){ big_endian, CRC_BYTES });
    struct str copy = arena_copy(arena, text);

    secret_free(text);
    return copy;
}

struct range {
    int64_t first;
    int64_t last;
    int64_t count;
    struct str digest;
};

static bool read_range(struct str text, struct range *out)
{
    if (!take_number(&text, NUMBER_MAX, &out->first) || !take_char(&text, "-") ||
        !take_number(&text, NUMBER_MAX, &out->last) || !take_char(&text, " ") ||
        !take_number(&text, NUMBER_MAX, &out->count) || !take_char(&text, " "))
        return false;
    out->digest = text;
    return out->count > 0 && text.len == HEX_SIZE && all_are(text, char_is_hex);
}

/* Has the object exactly the first lines that it counts? */
static bool has_first_lines(const struct range *range, struct s3_lines lines)
{
    struct s3_lines first = s3_lines_first(lines, (size_t)range->count);
    struct arena *arena = arena_create();
    bool is_same = s3_lines_last(first) == range->last &&
                   str_equal(s3_lines_digest(first, arena), range->digest);

    arena_destroy(arena);
    return is_same;
}

size_t s3_found_count(const struct s3_found *found, struct s3_lines lines, struct str layout,
                      int64_t *last)
{
    struct range range;

    if (!read_range(found->range, &range) || range.first != lines.records[0]->sequence)
        return 0;
    *last = range.last;
    if ((size_t)range.count <= lines.count)
        return has_first_lines(&range, lines) ? (size_t)range.count : 0;
    /* It was written by an earlier, longer batch of this sink that began with the same record. */
    return str_equal(found->layout, layout) && range.last >= s3_lines_last(lines) ? lines.count : 0;
}
