/* Mutexes.
 *
 * The fields are libc's: its pthread_mutex_init and PTHREAD_MUTEX_INITIALIZER
 * set the type, and zeros.  Who unlocks hands the mutex to the first who waits:
 * among threads that run one at a time nobody can be faster.
 */

#include "threads.h"

#include <limits.h>

struct mutex {
    int type;
    struct __pthread *owner;
    struct queue queue;
    int unused;
    int count;
};

_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "it fits");

static struct mutex *
of(pthread_mutex_t *mutex)
{
    return (struct mutex *)mutex;
}

static int
type_of(const struct mutex *mutex)
{
    return mutex->type & 3;
}

/* `held`: the answer if the thread has it already. */
static int
lock(pthread_mutex_t *outer, uint64_t until, int held)
{
    struct mutex *mutex = of(outer);
    if (mutex->count == 0) {
        mutex->owner = pymode_current;
        mutex->count = 1;
        return 0;
    }
    if (mutex->owner != pymode_current) {
        return until == 0 ? EBUSY : pymode_wait(&mutex->queue, until);
    }
    if (type_of(mutex) != PTHREAD_MUTEX_RECURSIVE) {
        return held;
    }
    if (mutex->count == INT_MAX) {
        return EAGAIN;
    }
    mutex->count++;
    return 0;
}

int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
    return lock(mutex, NEVER, EDEADLK);
}

int
pthread_mutex_timedlock(pthread_mutex_t *restrict mutex,
                        const struct timespec *restrict time)
{
    int error = lock(mutex, 0, EDEADLK);
    if (error != EBUSY) {
        return error;
    }
    uint64_t until;
    error = pymode_deadline(CLOCK_REALTIME, time, &until);
    return error == 0 ? lock(mutex, until == 0 ? 1 : until, EDEADLK) : error;
}

int
pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    return lock(mutex, 0, EBUSY);
}

int
pthread_mutex_unlock(pthread_mutex_t *outer)
{
    struct mutex *mutex = of(outer);
    if (mutex->count == 0
        || (type_of(mutex) != PTHREAD_MUTEX_NORMAL
            && mutex->owner != pymode_current)) {
        return EPERM;
    }
    if (--mutex->count == 0) {
        mutex->owner = pymode_wake(&mutex->queue);
        mutex->count = mutex->owner != NULL;
    }
    return 0;
}
