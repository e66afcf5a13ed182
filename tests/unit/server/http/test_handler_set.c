/*
 * test_handler_set.c - claims about server/http/handler_set.h: a set that is acquired stays until
 * it is released, and all later requests see its successor.
 */
#include "server/http/handler_set.h"

#include <pthread.h>

#include "base/attr.h"
#include "base/epoch.h"
#include "tests/unit/test.h"

static void handlers_are_copied(void)
{
    struct handler handlers[] = { { .path = "/a" }, { .path = "/bc" } };
    const struct http_handlers lists[] = { { handlers, 2 }, { &handlers[1], 1 } };
    struct http_handler_set *set = http_handler_set_create(lists, COUNT_OF(lists));

    handlers[0].path = handlers[1].path = "/gone";
    CHECK(set->listener_count == 2);
    CHECK(set->listeners[0].count == 2 && set->listeners[1].count == 1);
    CHECK_STR(set->listeners[0].list[0].path, "/a");
    CHECK_STR(set->listeners[0].list[1].path, "/bc");
    CHECK_STR(set->listeners[1].list[0].path, "/bc");
    http_handler_set_destroy(set);
    http_handler_set_destroy(NULL);
}

static void a_set_is_idle_when_all_have_released_it(void)
{
    struct http_handler_set *set = http_handler_set_create(NULL, 0);
    _Atomic(struct http_handler_set *) current = set;

    CHECK(http_handler_set_is_idle(set));
    CHECK(http_handler_set_acquire(&current) == set);
    CHECK(http_handler_set_acquire(&current) == set);
    CHECK(!http_handler_set_is_idle(set));
    http_handler_set_release(set);
    CHECK(!http_handler_set_is_idle(set));
    http_handler_set_release(set);
    CHECK(http_handler_set_is_idle(set));
    http_handler_set_release(NULL);
    http_handler_set_destroy(set);
}

static _Atomic(struct http_handler_set *) live;
static atomic_bool stop;

/* As a loop thread does; the path is freed memory if the set was destroyed too early. */
static void *use(void *self)
{
    size_t *wrong = self;

    while (!atomic_load(&stop)) {
        struct http_handler_set *set = http_handler_set_acquire(&live);

        *wrong += set->listeners[0].list[0].path.len != 2;
        http_handler_set_release(set);
    }
    return NULL;
}

static void no_request_uses_a_set_that_was_freed(void)
{
    static const struct handler handler = { .path = "/x" };
    static const struct http_handlers list = { &handler, 1 };
    pthread_t threads[3];
    size_t wrong[COUNT_OF(threads)] = { 0 };

    atomic_store(&live, http_handler_set_create(&list, 1));
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        CHECK(pthread_create(&threads[i], NULL, use, &wrong[i]) == 0);
    for (int i = 0; i < 200; i++) {
        struct http_handler_set *old = atomic_exchange(&live, http_handler_set_create(&list, 1));

        epoch_wait();
        while (!http_handler_set_is_idle(old))
            continue;
        http_handler_set_destroy(old);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        (void)pthread_join(threads[i], NULL);
        CHECK(wrong[i] == 0);
    }
    CHECK(http_handler_set_is_idle(live));
    http_handler_set_destroy(atomic_load(&live));
}

int main(void)
{
    RUN(handlers_are_copied);
    RUN(a_set_is_idle_when_all_have_released_it);
    RUN(no_request_uses_a_set_that_was_freed);
    return test_end();
}
