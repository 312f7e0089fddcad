/* Condition variables. */

#include "threads.h"

#include <string.h>
#include <wasi/api.h>

#include "pymode_thread.h"

#pragma weak pymode_thread_deadlock

struct cond {
    struct queue queue;
    int unused[2];
    clockid_t clock;
};

_Static_assert(sizeof(struct cond) <= sizeof(pthread_cond_t), "it fits");

static struct cond *
of(pthread_cond_t *cond)
{
    return (struct cond *)cond;
}

int
pthread_cond_init(pthread_cond_t *restrict cond,
                  const pthread_condattr_t *restrict attributes)
{
    memset(cond, 0, sizeof(*cond));
    /* libc's pthread_condattr_getclock compares before it masks, and never
       sees the second one. */
    int clock = attributes == NULL ? __WASI_CLOCKID_REALTIME
                                   : (int)(attributes->__attr & 0x7fffffff);
    of(cond)->clock = clock == __WASI_CLOCKID_MONOTONIC ? CLOCK_MONOTONIC
                                                        : CLOCK_REALTIME;
    return 0;
}

int
pthread_cond_destroy(pthread_cond_t *cond)
{
    return of(cond)->queue.head == NULL ? 0 : EBUSY;
}

static int
wait(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t until)
{
    int error = pthread_mutex_unlock(mutex);
    if (error != 0) {
        return error;
    }
    error = pymode_wait(&of(cond)->queue, until);
    if (error == EDEADLK && pymode_thread_deadlock != NULL
        && pymode_thread_deadlock()) {
        error = 0;
    }
    int locked = pthread_mutex_lock(mutex);
    return error != 0 ? error : locked;
}

int
pthread_cond_wait(pthread_cond_t *restrict cond,
                  pthread_mutex_t *restrict mutex)
{
    return wait(cond, mutex, NEVER);
}

int
pthread_cond_timedwait(pthread_cond_t *restrict cond,
                       pthread_mutex_t *restrict mutex,
                       const struct timespec *restrict time)
{
    uint64_t until;
    /* A static initializer leaves zeros. */
    clockid_t clock = of(cond)->clock == NULL ? CLOCK_REALTIME
                                              : of(cond)->clock;
    int error = pymode_deadline(clock, time, &until);
    return error == 0 ? wait(cond, mutex, until) : error;
}

int
pthread_cond_signal(pthread_cond_t *cond)
{
    (void)pymode_wake(&of(cond)->queue);
    return 0;
}

int
pthread_cond_broadcast(pthread_cond_t *cond)
{
    while (pymode_wake(&of(cond)->queue) != NULL) {
    }
    return 0;
}
