/*
 * gate.c - see gate.h. RFC 9110 and 9112 have the grammar.
 */
#include "server/http/gate.h"
#include "base/chars.h"

enum {
    MAX_LENGTH_DIGITS = 18, /* of a Content-Length */
    CRLF = 2,
};

static const struct {
    struct str name;
    bool once; /* must not be repeated */
} known_headers[HTTP_HEADER_COUNT] = {
    [HTTP_HOST] = { STR_INIT("Host"), true },
    [HTTP_CONTENT_LENGTH] = { STR_INIT("Content-Length"), true },
    [HTTP_TRANSFER_ENCODING] = { STR_INIT("Transfer-Encoding"), false },
    [HTTP_CONTENT_TYPE] = { STR_INIT("Content-Type"), true },
    [HTTP_CONTENT_ENCODING] = { STR_INIT("Content-Encoding"), true },
    [HTTP_AUTHORIZATION] = { STR_INIT("Authorization"), true },
    [HTTP_EXPECT] = { STR_INIT("Expect"), false },
    [HTTP_REQUEST_ID] = { STR_INIT("X-Request-Id"), false },
    [HTTP_TRACEPARENT] = { STR_INIT("traceparent"), false },
    [HTTP_AMZN_TRACE_ID] = { STR_INIT("X-Amzn-Trace-Id"), false },
};

/* Classes of characters. A tab is not CONTROL: it is white space in a value. */
enum { TOKEN = 1, CONTROL = 2, T = TOKEN, C = CONTROL };

/* clang-format off */
static const uint8_t kinds[256] = {
    C, C, C, C, C, C, C, C, C, 0, C, C, C, C, C, C,
    C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C,
    0, T, 0, T, T, T, T, T, 0, 0, T, T, 0, T, T, 0, /*  !"#$%&'()*+,-./ */
    T, T, T, T, T, T, T, T, T, T, 0, 0, 0, 0, 0, 0, /* 0123456789:;<=>? */
    0, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* @A...O */
    T, T, T, T, T, T, T, T, T, T, T, 0, 0, 0, T, T, /* P...Z[\]^_ */
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* `a...o */
    T, T, T, T, T, T, T, T, T, T, T, 0, T, 0, T, C, /* p...z{|}~ */
};
/* clang-format on */

/* The heads of a busy sender are long, so four bytes a step. */

static bool is_all(struct str s, unsigned kind)
{
    const unsigned char *at = (const unsigned char *)s.ptr;
    unsigned common = kind;

    for (; s.len >= 4; s.len -= 4, at += 4)
        common &= kinds[at[0]] & kinds[at[1]] & kinds[at[2]] & kinds[at[3]];
    for (; s.len > 0; s.len--)
        common &= kinds[*at++];
    return common != 0;
}

static bool is_none(struct str s, unsigned kind)
{
    const unsigned char *at = (const unsigned char *)s.ptr;
    unsigned found = 0;

    for (; s.len >= 4; s.len -= 4, at += 4)
        found |= kinds[at[0]] | kinds[at[1]] | kinds[at[2]] | kinds[at[3]];
    for (; s.len > 0; s.len--)
        found |= kinds[*at++];
    return !(found & kind);
}

bool http_gate_is_target(struct str target)
{
    return target.len > 0 && is_none(target, CONTROL) && !memchr(target.ptr, ' ', target.len);
}

void http_gate_header(struct http_gate *gate, struct str name, struct str value)
{
    gate->count++;
    gate->bytes += name.len + value.len + sizeof(": \r\n") - 1;
    if (name.len == 0 || !is_all(name, TOKEN) || !is_none(value, CONTROL))
        gate->malformed = true;

    for (size_t i = 0; i < HTTP_HEADER_COUNT; i++) {
        if (known_headers[i].name.len != name.len ||
            !str_equal_ignore_case(known_headers[i].name, name))
            continue;
        if (gate->values[i].ptr)
            gate->repeated |= 1U << i;
        else
            gate->values[i] = value.ptr ? value : STR("");
        return;
    }
}

static bool has(const struct http_gate *gate, enum http_header header)
{
    return gate->values[header].ptr != NULL;
}

static bool repeats_single_header(const struct http_gate *gate)
{
    for (size_t i = 0; i < HTTP_HEADER_COUNT; i++)
        if (known_headers[i].once && gate->repeated & 1U << i)
            return true;
    return false;
}

/* Digits only: no sign, no list. */
static bool read_length(struct str text, uint64_t *length)
{
    int64_t value = 0;

    text = str_trim(text);
    if (text.len > MAX_LENGTH_DIGITS || !whole_number(text, INT64_MAX, &value))
        return false;
    *length = (uint64_t)value;
    return true;
}

/* Host and port of an absolute target; a user before them is not allowed (RFC 9110, 4.2.4). */
static bool is_authority(struct str authority)
{
    return authority.len > 0 && !memchr(authority.ptr, '@', authority.len);
}

struct str http_gate_path(struct str target)
{
    static const struct str schemes[] = { STR_INIT("http://"), STR_INIT("https://") };

    if (target.len > 0 && target.ptr[0] == '/')
        return target;
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        if (target.len < schemes[i].len ||
            !str_equal_ignore_case((struct str){ target.ptr, schemes[i].len }, schemes[i]))
            continue;

        struct str rest = str_from(target, schemes[i].len);
        const char *slash = rest.len ? memchr(rest.ptr, '/', rest.len) : NULL;
        struct str authority = { rest.ptr, slash ? (size_t)(slash - rest.ptr) : rest.len };

        if (!is_authority(authority))
            return target;
        return slash ? str_from(rest, authority.len) : STR("/");
    }
    return target;
}

/* The request line, with the path of the target. Targets of CONNECT and OPTIONS have no path. */
static bool is_line_valid(const struct http_line *line)
{
    if (!str_equal(line->version, STR("HTTP/1.1")) && !str_equal(line->version, STR("HTTP/1.0")))
        return false;
    if (!str_starts_with(line->path, STR("/")))
        return false;
    return http_gate_is_target(line->path) && line->method.len > 0 && is_all(line->method, TOKEN);
}

static bool are_headers_valid(const struct http_gate *gate, bool http_1_0)
{
    if (gate->malformed || repeats_single_header(gate))
        return false;
    if (!http_1_0 && !has(gate, HTTP_HOST))
        return false;
    /* HTTP/1.0 has no chunks: the end of such a request is in doubt. */
    return !has(gate, HTTP_TRANSFER_ENCODING) || (!has(gate, HTTP_CONTENT_LENGTH) && !http_1_0);
}

/* 100-continue without a body: MHD answers it all the same, and then loses track of the stream. */
static bool expects_without_body(const struct http_gate *gate, const struct http_line *line)
{
    return gate->content_length == 0 && !has(gate, HTTP_TRANSFER_ENCODING) &&
           str_equal(line->version, STR("HTTP/1.1")) &&
           str_equal_ignore_case(gate->values[HTTP_EXPECT], STR("100-continue"));
}

static size_t line_bytes(const struct http_line *line)
{
    return line->method.len + 1 + line->target_len + 1 + line->version.len + CRLF;
}

/* Untrimmed: MHD compares it like this before it reads chunks. */
static bool has_unknown_coding(const struct http_gate *gate)
{
    return has(gate, HTTP_TRANSFER_ENCODING) &&
           (gate->repeated & 1U << HTTP_TRANSFER_ENCODING ||
            !str_equal_ignore_case(gate->values[HTTP_TRANSFER_ENCODING], STR("chunked")));
}

int http_gate_judge(struct http_gate *gate, const struct http_line *line, size_t max_head)
{
    if (!is_line_valid(line) || !are_headers_valid(gate, str_equal(line->version, STR("HTTP/1.0"))))
        return 400;
    if (has(gate, HTTP_CONTENT_LENGTH) &&
        !read_length(gate->values[HTTP_CONTENT_LENGTH], &gate->content_length))
        return 400;
    if (str_equal(line->method, STR("POST")) && !has(gate, HTTP_CONTENT_LENGTH) &&
        !has(gate, HTTP_TRANSFER_ENCODING))
        return 411;
    if (expects_without_body(gate, line))
        return 400;
    if (line->target_len > HTTP_MAX_TARGET)
        return 414;
    if (gate->count > HTTP_MAX_HEADERS || line_bytes(line) + gate->bytes + CRLF > max_head)
        return 431;
    if (has_unknown_coding(gate))
        return 501;
    gate->chunked = has(gate, HTTP_TRANSFER_ENCODING);
    return 0;
}

int http_gate_judge_headers(const struct http_gate *gate)
{
    uint64_t length;

    if (gate->malformed || repeats_single_header(gate) ||
        (has(gate, HTTP_TRANSFER_ENCODING) && has(gate, HTTP_CONTENT_LENGTH)) ||
        (has(gate, HTTP_CONTENT_LENGTH) &&
         !read_length(gate->values[HTTP_CONTENT_LENGTH], &length)))
        return 400;
    return has_unknown_coding(gate) ? 501 : 0;
}

static bool is_json_type(struct str type)
{
    static const struct str suffix = STR_INIT("+json");

    if (str_equal_ignore_case(type, STR("application/json")) ||
        str_equal_ignore_case(type, STR("text/json")))
        return true;

    const char *slash = type.len ? memchr(type.ptr, '/', type.len) : NULL;

    if (!slash)
        return false;

    struct str top = { type.ptr, (size_t)(slash - type.ptr) };
    struct str sub = str_from(type, top.len + 1);

    return top.len > 0 && is_all(top, TOKEN) && sub.len > suffix.len && is_all(sub, TOKEN) &&
           str_equal_ignore_case(str_from(sub, sub.len - suffix.len), suffix);
}

bool http_gate_takes(struct str content_type, struct str content_encoding)
{
    const char *end = content_type.len ? memchr(content_type.ptr, ';', content_type.len) : NULL;
    struct str type = content_type;
    struct str encoding = str_trim(content_encoding);

    if (end)
        type.len = (size_t)(end - type.ptr);
    type = str_trim(type);
    return ((type.len == 0 && !end) || is_json_type(type)) &&
           (encoding.len == 0 || str_equal_ignore_case(encoding, STR("identity")));
}
