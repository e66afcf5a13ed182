/*
 * pump_fault.c - see pump_fault.h.
 */
#include "delivery/pump_fault.h"

#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

struct pump_fault {
    pthread_mutex_t mutex;
    struct pump_error last;
};

struct pump_fault *pump_fault_create(void)
{
    struct pump_fault *fault = mem_alloc(sizeof(*fault));

    (void)pthread_mutex_init(&fault->mutex, NULL);
    return fault;
}

void pump_fault_destroy(struct pump_fault *fault)
{
    if (!fault)
        return;
    (void)pthread_mutex_destroy(&fault->mutex);
    mem_free(fault);
}

static size_t copy_prefix(char *to, struct str text, size_t max)
{
    struct str begin = utf8_prefix(text, max);

    if (begin.len > 0)
        memcpy(to, begin.ptr, begin.len);
    return begin.len;
}

void pump_fault_begin(struct pump_fault *fault, const char *reason, struct str said, int64_t now_us)
{
    struct pump_error *last = &fault->last;

    (void)pthread_mutex_lock(&fault->mutex);
    last->at_us = now_us;
    last->in_a_row++;
    last->reason[copy_prefix(last->reason, str_from_c(reason), PUMP_FAULT_REASON_MAX)] = '\0';
    last->said_len = copy_prefix(last->said, said, PUMP_FAULT_SAID_MAX);
    (void)pthread_mutex_unlock(&fault->mutex);
}

void pump_fault_end(struct pump_fault *fault)
{
    (void)pthread_mutex_lock(&fault->mutex);
    fault->last.in_a_row = 0;
    (void)pthread_mutex_unlock(&fault->mutex);
}

void pump_fault_read(struct pump_fault *fault, struct pump_error *out)
{
    (void)pthread_mutex_lock(&fault->mutex);
    *out = fault->last;
    (void)pthread_mutex_unlock(&fault->mutex);
}
