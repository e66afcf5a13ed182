/*
 * test_served.c - claims about server/http/served.h: what is taken stays until it is given
 * back, and an exchange is seen by all who come later.
 */
#include "server/http/served.h"

#include <pthread.h>

#include "base/attr.h"
#include "base/epoch.h"
#include "tests/unit/test.h"

static void handlers_are_copied(void)
{
    struct handler handlers[] = { { .path = "/a" }, { .path = "/bc" } };
    const struct http_handlers lists[] = { { handlers, 2 }, { &handlers[1], 1 } };
    struct http_served *served = http_served_create(lists, COUNT_OF(lists));

    handlers[0].path = handlers[1].path = "/gone";
    CHECK(served->site_count == 2);
    CHECK(served->sites[0].count == 2 && served->sites[1].count == 1);
    CHECK_STR(served->sites[0].list[0].path, "/a");
    CHECK_STR(served->sites[0].list[1].path, "/bc");
    CHECK_STR(served->sites[1].list[0].path, "/bc");
    http_served_destroy(served);
    http_served_destroy(NULL);
}

static void it_is_idle_when_all_have_given_it_back(void)
{
    struct http_served *served = http_served_create(NULL, 0);
    _Atomic(struct http_served *) current = served;

    CHECK(http_served_is_idle(served));
    CHECK(http_served_take(&current) == served);
    CHECK(http_served_take(&current) == served);
    CHECK(!http_served_is_idle(served));
    http_served_give(served);
    CHECK(!http_served_is_idle(served));
    http_served_give(served);
    CHECK(http_served_is_idle(served));
    http_served_give(NULL);
    http_served_destroy(served);
}

static _Atomic(struct http_served *) live;
static atomic_bool stop;

/* In a loop thread's place; the path's first byte is freed memory if it was let go too early. */
static void *use(void *self)
{
    size_t *wrong = self;

    while (!atomic_load(&stop)) {
        struct http_served *served = http_served_take(&live);

        *wrong += served->sites[0].list[0].path.len != 2;
        http_served_give(served);
    }
    return NULL;
}

static void nobody_uses_what_was_let_go(void)
{
    static const struct handler handler = { .path = "/x" };
    static const struct http_handlers list = { &handler, 1 };
    pthread_t threads[3];
    size_t wrong[COUNT_OF(threads)] = { 0 };

    atomic_store(&live, http_served_create(&list, 1));
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        CHECK(pthread_create(&threads[i], NULL, use, &wrong[i]) == 0);
    for (int i = 0; i < 200; i++) {
        struct http_served *old = atomic_exchange(&live, http_served_create(&list, 1));

        epoch_wait();
        while (!http_served_is_idle(old))
            continue;
        http_served_destroy(old);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        (void)pthread_join(threads[i], NULL);
        CHECK(wrong[i] == 0);
    }
    CHECK(http_served_is_idle(live));
    http_served_destroy(atomic_load(&live));
}

int main(void)
{
    RUN(handlers_are_copied);
    RUN(it_is_idle_when_all_have_given_it_back);
    RUN(nobody_uses_what_was_let_go);
    return test_end();
}
