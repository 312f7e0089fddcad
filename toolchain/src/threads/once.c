/* What is done once, and spin locks: both wait for another thread. */

#include "threads.h"

enum { NOT_YET = PTHREAD_ONCE_INIT, UNDER_WAY, DONE };

/* An int has no room for a queue: all who wait for any are in this one. */
static struct queue waiting;

int
pthread_once(pthread_once_t *once, void (*function)(void))
{
    while (*once == UNDER_WAY) {
        int error = pymode_wait(&waiting, NEVER);
        if (error != 0) {
            return error;
        }
    }
    if (*once == NOT_YET) {
        *once = UNDER_WAY;
        function();
        *once = DONE;
        while (pymode_wake(&waiting) != NULL) {
        }
    }
    return 0;
}

int
pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
    (void)shared;
    *lock = 0;
    return 0;
}

int
pthread_spin_destroy(pthread_spinlock_t *lock)
{
    return *lock == 0 ? 0 : EBUSY;
}

int
pthread_spin_trylock(pthread_spinlock_t *lock)
{
    if (*lock != 0) {
        return EBUSY;
    }
    *lock = 1;
    return 0;
}

int
pthread_spin_lock(pthread_spinlock_t *lock)
{
    while (pthread_spin_trylock(lock) != 0) {
        if (pymode_thread_count == 0) {
            return EDEADLK;
        }
        (void)sched_yield();
    }
    return 0;
}

int
pthread_spin_unlock(pthread_spinlock_t *lock)
{
    *lock = 0;
    return 0;
}
