/*
 * fuzz_aws_answer.c - whatever AWS, or who plays it, answers: credentials are printable or
 * refused, and a failure has a kind, a clean code and a line of text.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "aws/credentials.h"
#include "aws/failure.h"
#include "aws/xml.h"
#include "base/clock.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_credentials(struct json_object *json)
{
    static const struct aws_credentials_names names = { "Token", "Expiration" };
    struct aws_credentials found = { 0 };
    struct error err = { 0 };

    if (aws_credentials_from_json(json, &names, &found, &err)) {
        assert(found.key_id.len > 0 && found.secret.len > 0 && found.expires_us >= 0);
        for (size_t i = 0; i < found.token.len; i++)
            assert(found.token.ptr[i] > ' ' && found.token.ptr[i] <= '~');
    } else {
        assert(err.code != ERR_NONE && err.text[0] && found.key_id.ptr == NULL);
    }
    aws_credentials_done(&found);
}

/* The first line is taken for the header, the rest for the body: JSON, XML or anything else. */
static void check_failure(struct str header, struct str body, struct json_object *json)
{
    struct fetch_answer answer = { .status = 400 };
    struct aws_failure failure;

    buf_init(&answer.head, FETCH_HEAD_MAX);
    buf_add(&answer.head, STR("X-Amzn-ErrorType: "));
    buf_add(&answer.head, header);
    buf_init(&answer.body, body.len);
    buf_add(&answer.body, body);
    aws_failure_from_answer(&answer, json, &failure);
    assert(failure.kind != AWS_NO_FAILURE && failure.error.text[0]);
    for (const char *c = failure.error.text; *c; c++)
        assert((unsigned char)*c >= ' ');
    assert(strcspn(failure.code, ":# \"") == strlen(failure.code));
    fetch_answer_done(&answer);
}

/* Elements are found one after the other. */
static void check_xml(struct str document)
{
    struct arena *arena = arena_create();
    struct str rest = document;
    struct str content;
    size_t left = document.len;

    while (aws_xml_next(&rest, "member", &content)) {
        assert(content.len < left && rest.len < left);
        left = rest.len;
    }
    content = aws_xml_text(document, "Code", arena);
    assert(content.len <= document.len);
    arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = { (const char *)data, size };
    const char *end = size > 0 ? memchr(data, '\n', size) : NULL;
    struct str header = { text.ptr, end ? (size_t)(end - text.ptr) : size };
    struct json_object *json = NULL;
    struct error err;
    int64_t us;

    if (clock_parse(header, &us) || clock_parse_http(header, &us))
        assert(us > INT64_MIN / 2 && us < INT64_MAX / 2);
    if (json_read(str_from(text, header.len + 1), NULL, &json, &err))
        check_credentials(json);
    check_failure(header, str_from(text, header.len + 1), json);
    check_xml(text);
    aws_credentials_wipe_json(json);
    json_release(json);
    return 0;
}
