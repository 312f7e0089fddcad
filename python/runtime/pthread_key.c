/* Thread-specific data for a process with one thread.
 *
 * pthread_key_delete of zig 0.17.1's libc never returns here: it walks the
 * list of threads to clear the key's value in each, and a single-threaded
 * WASI program never initialises that list.  Py_Finalize deletes a key
 * (_PyTraceMalloc_Fini), so every run of Python would hang at its end.
 *
 * libc's four functions share a table that only they can see, so all four are
 * here; this object is linked before libc.  A destructor is never called:
 * POSIX runs it when a thread ends, and not when the process does.
 */

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static struct {
    bool taken;
    void *value;
} keys[PTHREAD_KEYS_MAX];

static bool
is_taken(pthread_key_t key)
{
    return key < PTHREAD_KEYS_MAX && keys[key].taken;
}

int
pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    (void)destructor;
    for (pthread_key_t i = 0; i < PTHREAD_KEYS_MAX; i++) {
        if (!keys[i].taken) {
            keys[i].taken = true;
            keys[i].value = NULL;
            *key = i;
            return 0;
        }
    }
    return EAGAIN;
}

int
pthread_key_delete(pthread_key_t key)
{
    if (!is_taken(key)) {
        return EINVAL;
    }
    keys[key].taken = false;
    return 0;
}

void *
pthread_getspecific(pthread_key_t key)
{
    return is_taken(key) ? keys[key].value : NULL;
}

int
pthread_setspecific(pthread_key_t key, const void *value)
{
    if (!is_taken(key)) {
        return EINVAL;
    }
    keys[key].value = (void *)value;
    return 0;
}
