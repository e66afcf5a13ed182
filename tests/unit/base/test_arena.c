/*
 * test_arena.c - claims about base/arena.h.
 */
#include "base/arena.h"

#include <pthread.h>
#include <stdalign.h>

#include "base/memory.h"
#include "tests/unit/test.h"

static bool is_aligned(const void *ptr)
{
    return (uintptr_t)ptr % alignof(max_align_t) == 0;
}

static bool is_filled(const char *bytes, size_t len, char with)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != with)
            return false;
    return true;
}

static void gives_zeroed_aligned_bytes_of_any_size(void)
{
    static const size_t sizes[] = { 0,    1,    2,    15,   16,   17,   1008,  1023,  1024,   1025,
                                    4000, 4064, 4080, 4095, 4096, 4097, 65536, 65537, 1000000 };
    struct arena *arena = arena_create();

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            char *bytes = arena_alloc(arena, sizes[i]);

            CHECK(is_aligned(bytes));
            CHECK(is_filled(bytes, sizes[i], 0));
            if (sizes[i] > 0)
                memset(bytes, 0x5A, sizes[i]);
        }
    }
    arena_destroy(arena);
}

static void keeps_allocations_apart(void)
{
    enum { COUNT = 2000 };
    static char *bytes[COUNT];
    static size_t sizes[COUNT];
    struct arena *arena = arena_create();
    size_t broken = 0;

    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = i * 7919 % (i % 50 == 0 ? 9000 : 300);
        bytes[i] = arena_alloc(arena, sizes[i]);
        if (sizes[i] > 0)
            memset(bytes[i], (int)(i % 127), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        broken += !is_filled(bytes[i], sizes[i], (char)(i % 127));
    CHECK_INT((int64_t)broken, 0);
    arena_destroy(arena);
}

static void keeps_copies_of_bytes(void)
{
    static const uint64_t numbers[] = { 1, 2, UINT64_MAX };
    struct arena *arena = arena_create();

    (void)arena_copy(arena, STR("x"));

    uint64_t *kept = arena_keep(arena, numbers, sizeof(numbers));

    CHECK(is_aligned(kept));
    CHECK(memcmp(kept, numbers, sizeof(numbers)) == 0);
    CHECK(arena_keep(arena, NULL, 0) != NULL);
    arena_destroy(arena);
}

static void copies_with_a_nul_behind(void)
{
    struct arena *arena = arena_create();
    struct str copy = arena_copy(arena, STR("a\0b"));

    CHECK(str_equal(copy, STR("a\0b")));
    CHECK(copy.ptr[3] == '\0');
    copy = arena_copy(arena, STR_NONE);
    CHECK(copy.ptr != NULL && copy.len == 0 && copy.ptr[0] == '\0');
    arena_destroy(arena);
}

static void prints_text_of_any_length(void)
{
    struct arena *arena = arena_create();

    CHECK_STR(arena_printf(arena, "%s", ""), "");
    CHECK_STR(arena_printf(arena, "%d-%.*s", 7, STR_ARG(STR("seven"))), "7-seven");
    CHECK_STR(arena_printf(arena, "<%.*s>", STR_ARG(STR_NONE)), "<>");

    struct str wide = arena_printf(arena, "%100000d", 1);

    CHECK_INT((int64_t)wide.len, 100000);
    CHECK(wide.ptr[wide.len] == '\0' && wide.ptr[wide.len - 1] == '1');
    arena_destroy(arena);
}

static struct {
    int order[8];
    size_t count;
} closed;

static void note_closing(void *object)
{
    closed.order[closed.count++] = *(const int *)object;
}

static void closes_what_it_owns_last_one_first(void)
{
    struct arena *arena = arena_create();
    int *numbers = arena_alloc(arena, 3 * sizeof(int));

    for (int i = 0; i < 3; i++) {
        numbers[i] = i + 1;
        arena_own(arena, &numbers[i], note_closing);
        (void)arena_alloc(arena, 5000);
    }
    CHECK_INT((int64_t)closed.count, 0);
    arena_destroy(arena);
    CHECK_INT((int64_t)closed.count, 3);
    CHECK(closed.order[0] == 3 && closed.order[1] == 2 && closed.order[2] == 1);
}

static void its_buffers_die_with_it(void)
{
    struct arena *arena = arena_create();
    struct buf *small = arena_buf(arena, 3);
    struct buf *large = arena_buf(arena, 1000000);

    buf_add(small, STR("abcd"));
    CHECK(small->overflow);
    for (int i = 0; i < 1000; i++)
        buf_printf(large, "%0*d", 900, i);
    CHECK(!large->overflow);
    CHECK_INT((int64_t)large->len, 900000);
    arena_destroy(arena); /* the leak checker has the last word */
}

static void gives_room_while_it_has_some(void)
{
    struct arena *arena = arena_create();
    size_t given = 0;

    for (size_t i = 0; i < 100; i++) {
        char *room = arena_room(arena, 100);

        if (!room)
            break;
        CHECK(is_aligned(room));
        memset(room, 'x', 100);
        given++;
    }
    /* AddressSanitizer sees more when all memory is its own. */
    CHECK(IS_ADDRESS_SANITIZED ? given == 0 : given > 10 && given < 100);
    CHECK(arena_room(arena, SIZE_MAX) == NULL);
    CHECK(is_filled(arena_alloc(arena, 100), 100, 0));
    arena_destroy(arena);
}

static void a_buffer_outgrows_the_room_of_the_arena(void)
{
    struct arena *arena = arena_create();
    struct buf *text = arena_buf_in(arena, 100000, 100);
    struct buf *wide = arena_buf_in(arena, 100000, 50000); /* never at hand */

    for (int i = 0; i < 10; i++) {
        buf_printf(text, "%0*d", 99, i);
        buf_printf(wide, "%0*d", 9999, i);
    }
    CHECK_INT((int64_t)text->len, 990);
    CHECK(text->ptr[98] == '0' && text->ptr[989] == '9');
    CHECK_INT((int64_t)wide->len, 99990);
    arena_destroy(arena);
}

/* What an ended arena leaves behind is not seen in the next one. */
static void a_new_arena_is_empty(void)
{
    for (int i = 0; i < 3; i++) {
        struct arena *one = arena_create();
        struct arena *two = arena_create();

        CHECK(is_filled(arena_alloc(one, 3000), 3000, 0));
        CHECK(is_filled(arena_alloc(two, 3000), 3000, 0));
        memset(arena_alloc(one, 900), 'x', 900);
        memset(arena_alloc(two, 900), 'x', 900);
        arena_destroy(one);
        arena_destroy(two);
    }
}

/* The last one that ended comes first: its memory may still be in the processor's cache. */
static void the_next_arenas_use_what_others_left(void)
{
    enum { COUNT = 100 };
    struct arena *arenas[COUNT];
    size_t again = 0;

    for (size_t i = 0; i < COUNT; i++)
        arenas[i] = arena_create();
    for (size_t i = 0; i < COUNT; i++)
        arena_destroy(arenas[i]);
    for (size_t i = COUNT; i > 0; i--) {
        struct arena *next = arena_create();

        again += next == arenas[i - 1];
        arenas[i - 1] = next;
    }
    CHECK(IS_ADDRESS_SANITIZED || again == COUNT);
    for (size_t i = 0; i < COUNT; i++)
        arena_destroy(arenas[i]);
}

static bool is_apart; /* an arena of an ending thread shares no memory with others */

static void use_an_arena(void *of_thread)
{
    enum { SIZE = 5000 };
    struct arena *arena = arena_create();
    char *inside = arena_alloc(arena, 100);
    char *other = mem_realloc(NULL, SIZE); /* malloc() would reuse a block that is free */

    (void)of_thread;
    is_apart = inside + 100 <= other || inside >= other + SIZE;
    mem_free(other);
    if (is_apart)
        arena_destroy(arena);
}

static void *use_arenas_to_the_end(void *key)
{
    arena_destroy(arena_create());
    (void)pthread_key_create(key, use_an_arena); /* its destructor runs after that of arena.c */
    (void)pthread_setspecific(*(pthread_key_t *)key, key);
    return NULL;
}

static void a_thread_may_use_arenas_while_it_ends(void)
{
    pthread_t thread;
    pthread_key_t key;

    CHECK(pthread_create(&thread, NULL, use_arenas_to_the_end, &key) == 0);
    (void)pthread_join(thread, NULL);
    CHECK(is_apart);
    (void)pthread_key_delete(key);
}

static void destroying_nothing_is_fine(void)
{
    arena_destroy(NULL);
    arena_destroy(arena_create());
    CHECK(true);
}

int main(void)
{
    RUN(gives_zeroed_aligned_bytes_of_any_size);
    RUN(keeps_allocations_apart);
    RUN(keeps_copies_of_bytes);
    RUN(copies_with_a_nul_behind);
    RUN(prints_text_of_any_length);
    RUN(closes_what_it_owns_last_one_first);
    RUN(its_buffers_die_with_it);
    RUN(gives_room_while_it_has_some);
    RUN(a_buffer_outgrows_the_room_of_the_arena);
    RUN(a_new_arena_is_empty);
    RUN(the_next_arenas_use_what_others_left);
    RUN(a_thread_may_use_arenas_while_it_ends);
    RUN(destroying_nothing_is_fine);
    return test_end();
}
