/*
 * ask.c - see ask.h.
 */
#include "aws/ask.h"

#include "base/secret.h"

enum { MEMORY_MAX = 1024 * 1024 }; /* bytes of the JSON tree */

void aws_answer_done(struct aws_answer *answer)
{
    aws_credentials_wipe_json(answer->json);
    json_release(answer->json);
    answer->json = NULL;
    secret_wipe(answer->http.body.ptr, answer->http.body.len);
    fetch_answer_done(&answer->http);
}

bool aws_ask(const struct aws_providers *providers, const struct fetch_request *request,
             struct aws_answer *answer, struct error *err)
{
    answer->json = NULL;
    fetch_answer_init(&answer->http, AWS_ASK_MAX);
    return fetch_client_run(providers->http, request, &answer->http, err);
}

bool aws_ask_json(const struct aws_providers *providers, const struct fetch_request *request,
                  struct aws_answer *answer, struct error *err)
{
    const struct json_read_options options = { .max_memory = MEMORY_MAX };
    struct error problem;

    if (!aws_ask(providers, request, answer, err))
        return false;
    /* The JSON reader's message is not used: it may quote member names of the answer. */
    if (!json_read(buf_str(&answer->http.body), &options, &answer->json, &problem))
        return fail(err, ERR_UNREACHABLE, "answered %d, and not with JSON", answer->http.status);
    return true;
}

bool aws_ask_credentials(const struct aws_providers *providers, const struct fetch_request *request,
                         struct aws_credentials *out, struct error *err)
{
    static const struct aws_credentials_names names = { "Token", "Expiration" };
    struct aws_answer answer;
    bool ok = aws_ask_json(providers, request, &answer, err);

    if (ok && answer.http.status != 200)
        ok = fail(err, ERR_UNREACHABLE, "answered %d", answer.http.status);
    ok = ok && aws_credentials_from_json(answer.json, &names, out, err);
    aws_answer_done(&answer);
    return ok;
}

struct str aws_answer_line(const struct aws_answer *answer)
{
    struct str line = buf_str(&answer->http.body);

    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == '\n' || line.ptr[i] == '\r')
            line.len = i;
    return line;
}
