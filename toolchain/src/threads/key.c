/* Thread-specific data. */

#include "threads.h"

#include <limits.h>
#include <stdlib.h>

static struct {
    bool is_taken;
    void (*destructor)(void *);
} keys[PTHREAD_KEYS_MAX];

static struct __pthread *holders;

int
pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    for (pthread_key_t i = 0; i < PTHREAD_KEYS_MAX; i++) {
        if (!keys[i].is_taken) {
            keys[i].is_taken = true;
            keys[i].destructor = destructor;
            *key = i;
            return 0;
        }
    }
    return EAGAIN;
}

static bool
is_taken(pthread_key_t key)
{
    return key < PTHREAD_KEYS_MAX && keys[key].is_taken;
}

int
pthread_key_delete(pthread_key_t key)
{
    if (!is_taken(key)) {
        return EINVAL;
    }
    keys[key].is_taken = false;
    /* The next key of this number starts with NULL in every thread. */
    for (struct __pthread *at = holders; at != NULL; at = at->next) {
        at->values[key] = NULL;
    }
    return 0;
}

void *
pthread_getspecific(pthread_key_t key)
{
    void **values = pymode_current->values;
    return is_taken(key) && values != NULL ? values[key] : NULL;
}

int
pthread_setspecific(pthread_key_t key, const void *value)
{
    struct __pthread *self = pymode_current;
    if (!is_taken(key)) {
        return EINVAL;
    }
    if (self->values == NULL) {
        if (value == NULL) {
            return 0;
        }
        self->values = calloc(PTHREAD_KEYS_MAX, sizeof(void *));
        if (self->values == NULL) {
            return ENOMEM;
        }
        self->next = holders;
        holders = self;
    }
    self->values[key] = (void *)value;
    return 0;
}

void
pymode_end_values(struct __pthread *thread)
{
    bool called = thread->values != NULL;
    /* A destructor may set values again. */
    for (int round = 0; called && round < PTHREAD_DESTRUCTOR_ITERATIONS;
         round++) {
        called = false;
        for (pthread_key_t i = 0; i < PTHREAD_KEYS_MAX; i++) {
            void *value = thread->values[i];
            if (value != NULL && is_taken(i) && keys[i].destructor != NULL) {
                thread->values[i] = NULL;
                called = true;
                keys[i].destructor(value);
            }
        }
    }
    if (thread->values != NULL) {
        struct __pthread **at = &holders;
        while (*at != thread) {
            at = &(*at)->next;
        }
        *at = thread->next;
        free(thread->values);
        thread->values = NULL;
    }
}
