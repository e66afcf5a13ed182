/*
 * test_window.c - claims about delivery/outbox/window.h: the cursor passes a record only when all
 * before it are decided
 */
#include "delivery/outbox/window.h"

#include "tests/unit/test.h"

static void decide(struct window *window, int64_t seq)
{
    window_decide(window, (struct change){ .seq = seq, .verdict = BACKLOG_DELIVERED });
}

/* How many changes came out; they are dropped. */
static int64_t shift(struct window *window)
{
    struct change_list changes = { 0 };
    int64_t count;

    window_shift(window, &changes);
    count = (int64_t)changes.count;
    for (size_t i = 1; i < changes.count; i++)
        CHECK(changes.items[i - 1].seq < changes.items[i].seq);
    change_list_done(&changes);
    return count;
}

static void gives_out_what_is_decided_up_to_a_gap(void)
{
    struct window window = { 0 };

    for (int64_t seq = 10; seq < 20; seq++)
        window_add(&window, seq, 0);
    decide(&window, 11);
    decide(&window, 12);
    CHECK_INT(shift(&window), 0);
    decide(&window, 10);
    CHECK_INT(shift(&window), 3);
    for (int64_t seq = 13; seq < 20; seq++)
        decide(&window, seq);
    CHECK_INT(shift(&window), 7);
    CHECK_INT((int64_t)window_count(&window), 0);
    CHECK_INT(window.taken, 19);
    window_done(&window);
}

static void what_was_given_back_comes_again_in_order(void)
{
    struct window window = { 0 };
    struct window_entry *entry;

    for (int64_t seq = 1; seq <= 6; seq++)
        window_add(&window, seq, 0);
    window_give_back(&window, 4, false);
    window_give_back(&window, 2, false);
    decide(&window, 6);
    CHECK_INT(shift(&window), 0);
    entry = window_next_waiting(&window, 0);
    CHECK_INT(entry->change.seq, 2);
    window_take(&window, entry);
    entry = window_next_waiting(&window, 2);
    CHECK_INT(entry->change.seq, 4);
    CHECK(!window_next_waiting(&window, 4));
    CHECK_INT(window_next_waiting(&window, 0)->change.seq, 4);
    window_give_back(&window, 2, false);
    CHECK_INT(window_next_waiting(&window, 0)->change.seq, 2);
    window_done(&window);
}

/* What waits at the end is read again. */
static void the_end_leaves_the_window(void)
{
    struct window window = { 0 };

    for (int64_t seq = 1; seq <= 6; seq++)
        window_add(&window, seq, 0);
    window_give_back(&window, 6, false);
    window_give_back(&window, 5, false);
    window_give_back(&window, 3, false);
    CHECK_INT(shift(&window), 0);
    CHECK_INT(window.taken, 4);
    window_add(&window, 5, 0);
    CHECK_INT(window_next_waiting(&window, 0)->change.seq, 3);
    window_done(&window);
}

static void a_cursor_that_was_moved_passes_what_waits(void)
{
    struct window window = { 0 };

    window_add(&window, 1, 0);
    window_add(&window, 2, 0);
    window_add(&window, 3, 0);
    window_give_back(&window, 1, false);
    window_pass(&window, 2);
    CHECK(!window_next_waiting(&window, 0));
    CHECK_INT(shift(&window), 1); /* 2 is under way */
    window_pass(&window, 9);
    CHECK_INT(window.taken, 9);
    window_done(&window);
}

static void the_end_may_stay(void)
{
    struct window window = { .keeps_waiting = true };

    window_add(&window, 1, 7);
    window_add(&window, 2, 7);
    decide(&window, 1);
    window_give_back(&window, 2, false);
    CHECK_INT(shift(&window), 1);
    CHECK_INT(window.taken, 2);
    CHECK_INT((int64_t)window_next_waiting(&window, 0)->change.order_hash, 7);
    window_drop_end(&window);
    CHECK_INT(window.taken, 1);
    window_done(&window);
}

/* The first record holds those behind it, which have arrived. It must have failed more than once.
 */
static void an_obstacle_is_tried_and_before_decided_ones(void)
{
    struct window window = { 0 };

    for (int64_t seq = 1; seq <= 3; seq++)
        window_add(&window, seq, 0);
    CHECK(!window_obstacle(&window));
    window_give_back(&window, 1, true);
    decide(&window, 2);
    CHECK(!window_obstacle(&window));
    for (int i = 0; i < 2; i++) {
        window_take(&window, window_next_waiting(&window, 0));
        CHECK(!window_obstacle(&window)); /* it is under way */
        window_give_back(&window, 1, i == 1);
        CHECK((window_obstacle(&window) != NULL) == (i == 1));
    }
    decide(&window, 1);
    CHECK_INT(shift(&window), 2);
    window_give_back(&window, 3, true); /* nothing is behind it */
    CHECK(!window_obstacle(&window));
    window_done(&window);
}

/* Its room is used again: it does not grow with what passes through it. */
static void it_stays_small(void)
{
    struct window window = { 0 };

    for (int64_t seq = 1; seq <= 100000; seq++) {
        window_add(&window, seq, 0);
        if (seq > 10)
            decide(&window, seq - 10);
        CHECK(shift(&window) <= 1);
    }
    CHECK_INT((int64_t)window_count(&window), 10);
    CHECK(window.capacity <= 64);
    window_done(&window);
}

static void changes_move_in_portions(void)
{
    struct change_list from = { 0 };
    struct change_list to = { 0 };
    const struct backlog_record record = { .seq = 1, .attempts = 2 };
    const struct backlog_result result = { 1, BACKLOG_FAILED, 3, "why" };

    for (int i = 0; i < 5; i++)
        change_list_add(&from, change_make(&record, BACKLOG_NEW, &result));
    change_list_move(&from, &to, 3);
    CHECK_INT((int64_t)from.count, 2);
    CHECK_INT((int64_t)to.count, 3);
    CHECK_STR(str_from_c(to.items[2].reason), "why");
    change_list_move(&from, &to, 3);
    CHECK_INT((int64_t)to.count, 5);
    change_list_done(&from);
    change_list_done(&to);
}

int main(void)
{
    RUN(gives_out_what_is_decided_up_to_a_gap);
    RUN(what_was_given_back_comes_again_in_order);
    RUN(the_end_leaves_the_window);
    RUN(a_cursor_that_was_moved_passes_what_waits);
    RUN(the_end_may_stay);
    RUN(an_obstacle_is_tried_and_before_decided_ones);
    RUN(it_stays_small);
    RUN(changes_move_in_portions);
    return test_end();
}
