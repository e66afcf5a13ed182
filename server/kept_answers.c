/*
 * kept_answers.c - see kept_answers.h.
 */
#include "server/kept_answers.h"

#include "base/clock.h"
#include "base/memory.h"

enum {
    KEPT_US = 5 * US_PER_S, /* at least */
    KEPT_TIMES = 10,        /* as long as it took */
};

struct kept_answer {
    struct str question; /* ptr NULL: none; owned, as the answer is */
    struct str answer;
    int64_t until_us;
};

struct kept_answers {
    struct kept_answer list[KEPT_ANSWERS_MAX];
    size_t next; /* is replaced next */
};

struct kept_answers *kept_answers_create(void)
{
    return mem_alloc(sizeof(struct kept_answers));
}

static void free_answer(struct kept_answer *one)
{
    mem_free((char *)one->question.ptr);
    mem_free((char *)one->answer.ptr);
    *one = (struct kept_answer){ 0 };
}

void kept_answers_clear(struct kept_answers *kept)
{
    for (size_t i = 0; i < KEPT_ANSWERS_MAX; i++)
        free_answer(&kept->list[i]);
}

void kept_answers_destroy(struct kept_answers *kept)
{
    if (!kept)
        return;
    kept_answers_clear(kept);
    mem_free(kept);
}

bool kept_answers_find(const struct kept_answers *kept, struct str question, int64_t now_us,
                       struct buf *out)
{
    for (size_t i = 0; i < KEPT_ANSWERS_MAX; i++) {
        const struct kept_answer *one = &kept->list[i];

        if (!one->question.ptr || now_us >= one->until_us || !str_equal(one->question, question))
            continue;
        buf_add(out, one->answer);
        return true;
    }
    return false;
}

static struct str copy_text(struct str text)
{
    return (struct str){ mem_copy(text.ptr, text.len), text.len };
}

void kept_answers_add(struct kept_answers *kept, struct str question, struct str answer,
                      int64_t begun_us, int64_t now_us)
{
    struct kept_answer *one = &kept->list[kept->next];
    int64_t took_us = (now_us - begun_us) * KEPT_TIMES;

    kept->next = (kept->next + 1) % KEPT_ANSWERS_MAX;
    free_answer(one);
    *one = (struct kept_answer){
        .question = copy_text(question),
        .answer = copy_text(answer),
        .until_us = now_us + (took_us > KEPT_US ? took_us : KEPT_US),
    };
}
