/* Mutexes of a process with one thread.
 *
 * zig 0.17.1's libc tests the type of a mutex as `type & 3 != RECURSIVE`, which
 * C reads as `type & (3 != RECURSIVE)`: a recursive mutex refuses its second
 * lock, and a normal one counts.  std::recursive_mutex and SQLite need the
 * former; a second lock of a normal mutex can only be a deadlock, which is said.
 *
 * The fields are libc's: its pthread_mutex_init and PTHREAD_MUTEX_INITIALIZER
 * set them.  These functions are weak there, and this object is linked before.
 */

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <time.h>

static int *
count_of(pthread_mutex_t *mutex)
{
    return &mutex->__u.__i[5];
}

static int
type_of(const pthread_mutex_t *mutex)
{
    return mutex->__u.__i[0] & 3;
}

/* `held`: what to answer if the one thread has it already. */
static int
lock(pthread_mutex_t *mutex, int held)
{
    int *count = count_of(mutex);
    if (*count != 0 && type_of(mutex) != PTHREAD_MUTEX_RECURSIVE) {
        return held;
    }
    if (*count == INT_MAX) {
        return EAGAIN;
    }
    ++*count;
    return 0;
}

int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
    return lock(mutex, EDEADLK);
}

int
pthread_mutex_timedlock(pthread_mutex_t *restrict mutex,
                        const struct timespec *restrict until)
{
    (void)until; /* Nobody can unlock it meanwhile. */
    return lock(mutex, EDEADLK);
}

int
pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    return lock(mutex, EBUSY);
}

int
pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    int *count = count_of(mutex);
    if (*count == 0) {
        return EPERM;
    }
    --*count;
    return 0;
}
