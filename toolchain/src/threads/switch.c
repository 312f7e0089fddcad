/* How one thread stops and another one runs.
 *
 * pymode.h is not included: it would make imports of what is defined here.
 *
 * The host has a WebAssembly stack for each thread.  What is in globals and in
 * memory is exchanged here: the shadow stack's pointer, errno, the current
 * thread, and the thread-local variables that were registered.
 */

#include "restoring.h"

#include <string.h>

#include "pymode_thread.h"

RESTORING("pymode_park_here", "host_thread_park", "pymode", "thread_park",
          "(i32, i64, i32)", "3", GET_3);
int pymode_park_here(uint32_t thread, uint64_t until, int how);

RESTORING("pymode_dl_open_here", "host_dl_open", "pymode", "dl_open", "(i32, i32, i32)",
          "3", GET_3);
uint32_t pymode_dl_open_here(const char *path, size_t length, int flags);

RESTORING("pymode_dl_close_here", "host_dl_close", "pymode", "dl_close", "(i32)", "1",
          GET_1);
int pymode_dl_close_here(uint32_t handle);

static struct {
    unsigned char *address;
    size_t size;
} regions[LOCALS];

static size_t region_count;
static size_t region_bytes;

int
pymode_thread_local(void *address, size_t size)
{
    for (size_t i = 0; i < region_count; i++) {
        if (regions[i].address == address) {
            return 0;
        }
    }
    if (size == 0 || size > LOCALS - region_bytes) {
        return ENOMEM;
    }
    regions[region_count].address = address;
    regions[region_count].size = size;
    region_count++;
    region_bytes += size;
    return 0;
}

static void
save(unsigned char *into)
{
    for (size_t i = 0; i < region_count; i++) {
        memcpy(into, regions[i].address, regions[i].size);
        into += regions[i].size;
    }
}

void
pymode_restore_locals(const unsigned char *from)
{
    for (size_t i = 0; i < region_count; i++) {
        memcpy(regions[i].address, from, regions[i].size);
        from += regions[i].size;
    }
}

#pragma weak pymode_swap_language_state

static struct __pthread main_thread;

struct __pthread *pymode_current = &main_thread;

/* A host knows main before main knows anything: its number is 0. */
static uint32_t
id_of(struct __pthread *thread)
{
    return thread == &main_thread ? 0 : (uint32_t)(uintptr_t)thread;
}

struct __pthread *
pymode_leave(void)
{
    pymode_check_stack();
    save(pymode_current->locals);
    if (pymode_swap_language_state != NULL) {
        pymode_current->language_state = pymode_swap_language_state(NULL);
    }
    return pymode_current;
}

void
pymode_return_to(struct __pthread *self)
{
    pymode_current = self;
    pymode_restore_locals(self->locals);
    if (pymode_swap_language_state != NULL) {
        (void)pymode_swap_language_state(self->language_state);
    }
}

/* The host calls main's functions: no other thread is in the middle of
   anything, but one of them ran last. */
void
pymode_enter_main(void)
{
    if (pymode_current != &main_thread) {
        pymode_return_to(&main_thread);
    }
}

/* The call of the host returns. */
void
pymode_leave_main(void)
{
    (void)pymode_leave();
}

int
pymode_park(uint64_t until, enum park how)
{
    struct __pthread *self = pymode_leave();
    int before = errno;
    int error = pymode_park_here(id_of(self), until, how);
    pymode_return_to(self);
    errno = before;
    return error;
}

/* In a Worker these two wait in the host.  They have the names of the imports,
   so that all of the program's calls come here. A constructor may load modules
   itself. */
static pthread_mutex_t loader = {{{PTHREAD_MUTEX_RECURSIVE}}};

uint32_t
pymode_dl_open(const char *path, size_t length, int flags)
{
    (void)pthread_mutex_lock(&loader);
    struct __pthread *self = pymode_leave();
    uint32_t handle = pymode_dl_open_here(path, length, flags);
    pymode_return_to(self);
    (void)pthread_mutex_unlock(&loader);
    return handle;
}

int
pymode_dl_close(uint32_t handle)
{
    (void)pthread_mutex_lock(&loader);
    struct __pthread *self = pymode_leave();
    int error = pymode_dl_close_here(handle);
    pymode_return_to(self);
    (void)pthread_mutex_unlock(&loader);
    return error;
}

__attribute__((import_module("pymode"), import_name("thread_unpark"))) int
host_thread_unpark(uint32_t thread);

void
pymode_unpark(struct __pthread *thread)
{
    (void)host_thread_unpark(id_of(thread));
}

int
pymode_wait(struct queue *queue, uint64_t until)
{
    struct waiter waiter = {.thread = pymode_current};
    if (queue->tail == NULL) {
        queue->head = &waiter;
    }
    else {
        queue->tail->next = &waiter;
    }
    queue->tail = &waiter;
    while (!waiter.is_woken) {
        int error = pymode_park(until, PARK);
        if (error != 0 && !waiter.is_woken) {
            struct waiter *before = NULL;
            for (struct waiter *at = queue->head; at != &waiter; at = at->next) {
                before = at;
            }
            *(before == NULL ? &queue->head : &before->next) = waiter.next;
            if (queue->tail == &waiter) {
                queue->tail = before;
            }
            return error;
        }
    }
    return 0;
}

struct __pthread *
pymode_wake(struct queue *queue)
{
    struct waiter *first = queue->head;
    if (first == NULL) {
        return NULL;
    }
    queue->head = first->next;
    if (first->next == NULL) {
        queue->tail = NULL;
    }
    struct __pthread *thread = first->thread;
    first->is_woken = true;
    pymode_unpark(thread);
    return thread;
}

static uint64_t
nanoseconds(const struct timespec *time)
{
    uint64_t seconds = (uint64_t)time->tv_sec;
    return seconds >= NEVER / 1000000000
               ? NEVER
               : seconds * 1000000000 + (uint64_t)time->tv_nsec;
}

int
pymode_deadline(clockid_t clock, const struct timespec *time,
                uint64_t *deadline)
{
    if (time->tv_nsec < 0 || time->tv_nsec >= 1000000000) {
        return EINVAL;
    }
    if (time->tv_sec < 0) {
        *deadline = 0;
        return 0;
    }
    uint64_t wanted = nanoseconds(time);
    if (clock == CLOCK_MONOTONIC) {
        *deadline = wanted;
        return 0;
    }
    struct timespec now, monotonic;
    if (clock_gettime(clock, &now) != 0
        || clock_gettime(CLOCK_MONOTONIC, &monotonic) != 0) {
        return EINVAL;
    }
    uint64_t passed = nanoseconds(&now);
    uint64_t left = wanted > passed ? wanted - passed : 0;
    uint64_t start = nanoseconds(&monotonic);
    *deadline = left > NEVER - start ? NEVER : start + left;
    return 0;
}

int
pymode_thread_others(void)
{
    return pymode_thread_count != 0;
}

void
pymode_thread_yield(void)
{
    (void)pymode_park(0, PARK_AND_LET_EVENTS);
}

_Noreturn void
pymode_thread_stop(void)
{
    pymode_thread_count--;
    (void)pymode_park(NEVER, PARK_FOR_EVER);
    __builtin_trap();
}

int
sched_yield(void)
{
    if (pymode_thread_others()) {
        (void)pymode_park(0, PARK_AND_YIELD);
    }
    return 0;
}
