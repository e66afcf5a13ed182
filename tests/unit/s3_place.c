/*
 * s3_place.c - see s3_place.h.
 */
#include "tests/unit/s3_place.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tests/unit/canned.h"

struct s3_place s3_place = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static char *header(const char *request, const char *name)
{
    char line[100];
    const char *at;
    size_t len;

    (void)snprintf(line, sizeof(line), "\r\n%s: ", name);
    at = strstr(request, line);
    if (!at)
        return mem_copy_string("");
    at += strlen(line);
    len = strcspn(at, "\r");
    return mem_copy(at, len);
}

static struct s3_stored *find(const char *path)
{
    for (size_t i = 0; i < s3_place.count; i++)
        if (strcmp(s3_place.objects[i].path, path) == 0)
            return &s3_place.objects[i];
    return NULL;
}

static void add_object(const char *request, const char *path, struct str body)
{
    assert(s3_place.count < S3_PLACE_MAX);
    s3_place.objects[s3_place.count++] =
        (struct s3_stored){ .path = mem_copy_string(path),
                            .range = header(request, "x-amz-meta-sluice-range"),
                            .layout = header(request, "x-amz-meta-sluice-layout"),
                            .body = { mem_copy(body.ptr, body.len), body.len } };
}

static bool is_hit(const char *path)
{
    return s3_place.put_answer && (!s3_place.only || strstr(path, s3_place.only));
}

static struct str put(const char *request, char *path, struct str body)
{
    struct str answer = STR(STATUS("200 OK"));

    s3_place.puts++;
    if (is_hit(path))
        answer = str_from_c(s3_place.put_answer);
    else if (s3_place.most_bytes > 0 && body.len > s3_place.most_bytes)
        answer = STR(ANSWER("400 Bad", "\r\n" REFUSE("EntityTooLarge")));
    else if (find(path))
        answer = STR(PRECONDITION);
    else {
        add_object(request, path, body);
        answer = s3_place.loses ? CANNED_CLOSE : answer;
    }
    mem_free(path);
    return answer;
}

static struct str head(char *path)
{
    const struct s3_stored *object = find(path);

    s3_place.heads++;
    mem_free(path);
    if (s3_place.head_answer)
        return str_from_c(s3_place.head_answer);
    if (!object)
        return STR(STATUS("404 Not Found"));
    buf_clear(&s3_place.answer);
    buf_printf(&s3_place.answer,
               "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx-amz-meta-sluice-range: %s\r\n"
               "x-amz-meta-sluice-layout: %s\r\n\r\n",
               object->range, object->layout);
    return buf_str(&s3_place.answer);
}

static struct str receive(void *self, struct str request, size_t nth)
{
    const char *end = memmem(request.ptr, request.len, "\r\n\r\n", 4);
    const char *start = strchr(request.ptr, '/');
    char *path = mem_copy(start, strcspn(start, " "));
    struct str answer;

    (void)self;
    (void)nth;
    (void)pthread_mutex_lock(&s3_place.mutex);
    buf_clear(&s3_place.last);
    buf_add(&s3_place.last, (struct str){ request.ptr, (size_t)(end - request.ptr) });
    buf_add_char(&s3_place.last, '\0');
    if (s3_place.stalls) {
        mem_free(path);
        answer = CANNED_STALL;
    } else if (request.ptr[0] == 'H') {
        answer = head(path);
    } else {
        answer = put(s3_place.last.ptr, path, str_from(request, (size_t)(end - request.ptr) + 4));
    }
    (void)pthread_mutex_unlock(&s3_place.mutex);
    return answer;
}

void s3_place_begin(void)
{
    struct error err;

    buf_init(&s3_place.answer, S3_PLACE_TEXT_MAX);
    buf_init(&s3_place.last, S3_PLACE_TEXT_MAX);
    s3_place.server = canned_start(NULL, receive, NULL);
    (void)snprintf(s3_place.url, sizeof(s3_place.url), "http://127.0.0.1:%d",
                   canned_port(s3_place.server));
    assert(aws_session_create(&(struct aws_session_options){ .region = "eu-west-1" },
                              &s3_place.session, &err));
}

void s3_place_end(void)
{
    canned_destroy(s3_place.server);
    aws_session_destroy(s3_place.session);
    for (size_t i = 0; i < s3_place.count; i++) {
        mem_free(s3_place.objects[i].path);
        mem_free(s3_place.objects[i].range);
        mem_free(s3_place.objects[i].layout);
        mem_free((void *)s3_place.objects[i].body.ptr);
    }
    buf_done(&s3_place.answer);
    buf_done(&s3_place.last);
    s3_place.server = NULL;
    s3_place.count = s3_place.puts = s3_place.heads = s3_place.most_bytes = 0;
    s3_place.put_answer = s3_place.only = s3_place.head_answer = NULL;
    s3_place.loses = s3_place.stalls = false;
}
