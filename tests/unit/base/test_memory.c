/*
 * test_memory.c - claims about base/memory.h.
 */
#include "base/memory.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "tests/unit/test.h"

static bool is_zero(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void gives_zeroed_memory_of_any_size(void)
{
    static const size_t sizes[] = { 0, 1, 16, 4096, 1000000 };

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char *one = mem_alloc(sizes[i]);
        char *many = mem_alloc_array(sizes[i], 3);
        char *none = mem_alloc_array(0, sizes[i]);

        CHECK(one && is_zero(one, sizes[i]));
        CHECK(many && is_zero(many, sizes[i] * 3));
        CHECK(none != NULL);
        mem_free(one);
        mem_free(many);
        mem_free(none);
    }
}

static void aligns_as_told(void)
{
    for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
        char *bytes = mem_alloc_aligned(alignment, alignment + 1);

        CHECK((uintptr_t)bytes % alignment == 0);
        CHECK(is_zero(bytes, alignment + 1));
        mem_free(bytes);
    }
}

static void grows_and_keeps_the_beginning(void)
{
    char *text = mem_copy_string("begin");

    text = mem_realloc(text, 100000);
    CHECK_STR(str_from_c(text), "begin");
    text = mem_realloc(text, 0);
    CHECK(text != NULL);
    mem_free(text);
    mem_free(NULL);
}

static void copies_with_a_nul_behind(void)
{
    char *copy = mem_copy("a\0b", 3);
    char *empty = mem_copy(NULL, 0);

    CHECK(memcmp(copy, "a\0b", 4) == 0);
    CHECK(empty[0] == '\0');
    mem_free(copy);
    mem_free(empty);
}

static void ask_for_too_much(void)
{
    mem_free(mem_alloc_array(SIZE_MAX / 2, 3));
}

static void grows_by_one_element_as_often_as_wanted(void)
{
    size_t capacity = 0;
    int *items = NULL;

    for (int i = 0; i < 1000; i++) {
        items = mem_grow(items, (size_t)i, &capacity, sizeof(*items));
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        CHECK_INT(items[i], i);
    CHECK(capacity >= 1000 && capacity < 2100);
    mem_free(items);
}

static void ask_for_everything(void)
{
    mem_free(mem_realloc(NULL, SIZE_MAX / 4));
}

/* Does `action` end a process otherwise than well? */
static bool ends_the_process(void (*action)(void))
{
    int status = 0;

    (void)fflush(NULL);

    pid_t child = fork();

    if (child == 0) {
        (void)close(STDERR_FILENO);
        action();
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && (!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}

static void out_of_memory_ends_the_process(void)
{
    CHECK(ends_the_process(ask_for_too_much));
    CHECK(ends_the_process(ask_for_everything));
}

int main(void)
{
    RUN(gives_zeroed_memory_of_any_size);
    RUN(aligns_as_told);
    RUN(grows_and_keeps_the_beginning);
    RUN(grows_by_one_element_as_often_as_wanted);
    RUN(copies_with_a_nul_behind);
    RUN(out_of_memory_ends_the_process);
    return test_end();
}
