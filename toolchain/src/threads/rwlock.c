/* Read-write locks.  Readers come first, as in glibc, so that a thread may read
 * twice; a writer gets the lock when the last reader leaves. */

#include "threads.h"

#include <limits.h>
#include <string.h>

/* In `readers`: one thread writes. */
#define WRITTEN (-1)

struct rwlock {
    int readers;
    struct queue wait_to_read;
    struct queue wait_to_write;
    struct __pthread *writer;
};

_Static_assert(sizeof(struct rwlock) <= sizeof(pthread_rwlock_t), "it fits");

static struct rwlock *
of(pthread_rwlock_t *lock)
{
    return (struct rwlock *)lock;
}

int
pthread_rwlock_init(pthread_rwlock_t *restrict lock,
                    const pthread_rwlockattr_t *restrict attributes)
{
    (void)attributes;
    memset(lock, 0, sizeof(*lock));
    return 0;
}

int
pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    return of(lock)->readers == 0 ? 0 : EBUSY;
}

int
pthread_rwlock_tryrdlock(pthread_rwlock_t *outer)
{
    struct rwlock *lock = of(outer);
    if (lock->readers == WRITTEN) {
        return EBUSY;
    }
    if (lock->readers == INT_MAX) {
        return EAGAIN;
    }
    lock->readers++;
    return 0;
}

int
pthread_rwlock_trywrlock(pthread_rwlock_t *outer)
{
    struct rwlock *lock = of(outer);
    if (lock->readers != 0) {
        return EBUSY;
    }
    lock->readers = WRITTEN;
    lock->writer = pymode_current;
    return 0;
}

static int
read_until(pthread_rwlock_t *lock, uint64_t until)
{
    int error = pthread_rwlock_tryrdlock(lock);
    if (error != EBUSY) {
        return error;
    }
    if (of(lock)->writer == pymode_current) {
        return EDEADLK;
    }
    return pymode_wait(&of(lock)->wait_to_read, until);
}

static int
write_until(pthread_rwlock_t *lock, uint64_t until)
{
    if (pthread_rwlock_trywrlock(lock) == 0) {
        return 0;
    }
    if (of(lock)->writer == pymode_current) {
        return EDEADLK;
    }
    return pymode_wait(&of(lock)->wait_to_write, until);
}

int
pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    return read_until(lock, NEVER);
}

int
pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    return write_until(lock, NEVER);
}

int
pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict lock,
                           const struct timespec *restrict time)
{
    uint64_t until;
    int error = pthread_rwlock_tryrdlock(lock);
    if (error == EBUSY) {
        error = pymode_deadline(CLOCK_REALTIME, time, &until);
        return error == 0 ? read_until(lock, until) : error;
    }
    return error;
}

int
pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict lock,
                           const struct timespec *restrict time)
{
    uint64_t until;
    int error = pthread_rwlock_trywrlock(lock);
    if (error == EBUSY) {
        error = pymode_deadline(CLOCK_REALTIME, time, &until);
        return error == 0 ? write_until(lock, until) : error;
    }
    return error;
}

int
pthread_rwlock_unlock(pthread_rwlock_t *outer)
{
    struct rwlock *lock = of(outer);
    if (lock->readers == 0) {
        return EPERM;
    }
    if (lock->readers == WRITTEN) {
        if (lock->writer != pymode_current) {
            return EPERM;
        }
        lock->writer = NULL;
        lock->readers = 0;
        while (pymode_wake(&lock->wait_to_read) != NULL) {
            lock->readers++;
        }
    }
    else {
        lock->readers--;
    }
    if (lock->readers == 0) {
        lock->writer = pymode_wake(&lock->wait_to_write);
        if (lock->writer != NULL) {
            lock->readers = WRITTEN;
        }
    }
    return 0;
}
