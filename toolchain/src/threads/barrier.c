/* Barriers. */

#include "threads.h"

#include <limits.h>
#include <string.h>

struct barrier {
    unsigned needed;
    unsigned arrived;
    struct queue queue;
};

_Static_assert(sizeof(struct barrier) <= sizeof(pthread_barrier_t), "it fits");

static struct barrier *
of(pthread_barrier_t *barrier)
{
    return (struct barrier *)barrier;
}

int
pthread_barrier_init(pthread_barrier_t *restrict barrier,
                     const pthread_barrierattr_t *restrict attributes,
                     unsigned count)
{
    (void)attributes;
    if (count == 0 || count > INT_MAX) {
        return EINVAL;
    }
    memset(barrier, 0, sizeof(*barrier));
    of(barrier)->needed = count;
    return 0;
}

int
pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    return of(barrier)->arrived == 0 ? 0 : EBUSY;
}

int
pthread_barrier_wait(pthread_barrier_t *outer)
{
    struct barrier *barrier = of(outer);
    if (++barrier->arrived < barrier->needed) {
        int error = pymode_wait(&barrier->queue, NEVER);
        if (error != 0) {
            barrier->arrived--;
        }
        return error;
    }
    barrier->arrived = 0;
    while (pymode_wake(&barrier->queue) != NULL) {
    }
    return PTHREAD_BARRIER_SERIAL_THREAD;
}
