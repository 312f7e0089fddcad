/* Semaphores without names.  Names would have to be shared with other
 * processes, and there are none. */

#include "threads.h"

#include <semaphore.h>
#include <string.h>

struct semaphore {
    unsigned value;
    struct queue queue;
};

_Static_assert(sizeof(struct semaphore) <= sizeof(sem_t), "it fits");

static struct semaphore *
of(sem_t *semaphore)
{
    return (struct semaphore *)semaphore;
}

static int
outcome(int error)
{
    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

int
sem_init(sem_t *semaphore, int shared, unsigned value)
{
    (void)shared;
    if (value > SEM_VALUE_MAX) {
        return outcome(EINVAL);
    }
    memset(semaphore, 0, sizeof(*semaphore));
    of(semaphore)->value = value;
    return 0;
}

int
sem_destroy(sem_t *semaphore)
{
    return outcome(of(semaphore)->queue.head == NULL ? 0 : EBUSY);
}

int
sem_trywait(sem_t *semaphore)
{
    if (of(semaphore)->value == 0) {
        return outcome(EAGAIN);
    }
    of(semaphore)->value--;
    return 0;
}

int
sem_wait(sem_t *semaphore)
{
    if (of(semaphore)->value != 0) {
        return sem_trywait(semaphore);
    }
    return outcome(pymode_wait(&of(semaphore)->queue, NEVER));
}

int
sem_clockwait(sem_t *restrict semaphore, clockid_t clock,
              const struct timespec *restrict time)
{
    if (of(semaphore)->value != 0) {
        return sem_trywait(semaphore);
    }
    uint64_t until;
    int error = pymode_deadline(clock, time, &until);
    return outcome(error == 0 ? pymode_wait(&of(semaphore)->queue, until)
                              : error);
}

int
sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict time)
{
    return sem_clockwait(semaphore, CLOCK_REALTIME, time);
}

/* Who waits gets the unit itself. */
int
sem_post(sem_t *semaphore)
{
    if (pymode_wake(&of(semaphore)->queue) != NULL) {
        return 0;
    }
    if (of(semaphore)->value == SEM_VALUE_MAX) {
        return outcome(EOVERFLOW);
    }
    of(semaphore)->value++;
    return 0;
}

int
sem_getvalue(sem_t *restrict semaphore, int *restrict value)
{
    *value = (int)of(semaphore)->value;
    return 0;
}
