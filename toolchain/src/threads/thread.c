/* Threads: their beginning, their end, and who waits for it. */

#include "threads.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pymode.h"
#include "pymode_thread.h"

/* Each program has it from the linker: what lies below is not a stack's. */
#define CANARY 0x7079u * 0x10001u
#define CANARY_WORDS 4

/* Without an attribute. A power of two would take twice as much of the
   allocator, which adds a header. */
#define DEFAULT_STACK (512 * 1024 - 64)
#define SMALLEST_STACK (16 * 1024)

/* Stacks of ended threads that the next ones get. */
#define POOL 32

unsigned pymode_thread_count;

void pymode_restore_locals(const unsigned char *from);

static char *pool[POOL];
static unsigned pooled;

/* A stack that did not fit into the pool, of the thread that ended last: it ran
   on it until now. */
static char *last_stack;

static struct queue main_waits;

static char *
take_stack(size_t size)
{
    free(last_stack);
    last_stack = NULL;
    char *stack = size == DEFAULT_STACK && pooled > 0
                      ? pool[--pooled]
                      : aligned_alloc(16, size);
    if (stack != NULL) {
        for (unsigned i = 0; i < CANARY_WORDS; i++) {
            ((unsigned *)stack)[i] = CANARY;
        }
    }
    return stack;
}

static void
give_stack_back(char *stack, size_t size)
{
    if (size == DEFAULT_STACK && pooled < POOL) {
        pool[pooled++] = stack;
    }
    else {
        free(last_stack);
        last_stack = stack;
    }
}

void
pymode_check_stack(void)
{
    struct __pthread *self = pymode_current;
    for (unsigned i = 0; self->stack != NULL && i < CANARY_WORDS; i++) {
        if (((unsigned *)self->stack)[i] != CANARY) {
            static const char text[] =
                "fatal: a thread's stack overflowed, and memory behind it was "
                "overwritten\n  hint: start the thread with a larger stack "
                "(pthread_attr_setstacksize, threading.stack_size)\n";
            (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
            __builtin_trap();
        }
    }
}

pthread_t
pthread_self(void)
{
    return pymode_current;
}

#undef pthread_equal

int
pthread_equal(pthread_t one, pthread_t other)
{
    return one == other;
}

/* Called by the host, on a stack of its own, through the entry below. */
__attribute__((visibility("hidden"))) void
pymode_thread_main(struct __pthread *self)
{
    static const unsigned char zeros[LOCALS];
    jmp_buf exit;
    pymode_current = self;
    pymode_restore_locals(zeros);
    errno = 0;
    self->exit = &exit;
    if (setjmp(exit) == 0) {
        self->result = self->entry(self->argument);
    }
    pymode_end_values(self);
    pymode_check_stack();
    /* Who joins may free it before the host has seen its return. */
    pymode_thread_end((uint32_t)(uintptr_t)self);
    give_stack_back(self->stack, self->stack_size);
    self->stack = NULL;
    pymode_thread_count--;
    if (pymode_thread_count == 0) {
        (void)pymode_wake(&main_waits);
    }
    if (self->life == DETACHED) {
        free(self);
        return;
    }
    self->life = ENDED;
    (void)pymode_wake(&self->joiners);
}

/* The shadow stack is set before any C code runs on it. */
__asm__(
    ".globaltype __stack_pointer, i32\n"
    ".functype pymode_thread_main (i32) -> ()\n"
    ".section .text.pymode_thread_start,\"\",@\n"
    ".globl pymode_thread_start\n"
    ".type pymode_thread_start,@function\n"
    "pymode_thread_start:\n"
    "    .functype pymode_thread_start (i32, i32) -> ()\n"
    "    local.get 1\n"
    "    global.set __stack_pointer\n"
    "    local.get 0\n"
    "    call pymode_thread_main\n"
    "    end_function\n");

/* The C++ library's: what it has of exceptions that are being handled. */
#pragma weak __cxa_get_globals
void *__cxa_get_globals(void);

int
pthread_create(pthread_t *restrict thread,
               const pthread_attr_t *restrict attributes,
               void *(*entry)(void *), void *restrict argument)
{
    size_t size = DEFAULT_STACK;
    int detached = PTHREAD_CREATE_JOINABLE;
    if (attributes != NULL) {
        void *stack = NULL;
        size_t wanted = 0;
        (void)pthread_attr_getstack(attributes, &stack, &wanted);
        if (stack != NULL) {
            /* It would have to stay when the thread has ended. */
            return EINVAL;
        }
        (void)pthread_attr_getstacksize(attributes, &wanted);
        (void)pthread_attr_getdetachstate(attributes, &detached);
        /* libc's own default is for machines with a stack for calls, too. */
        if (wanted > DEFAULT_STACK) {
            size = wanted & ~(size_t)15;
        }
        else if (wanted < SMALLEST_STACK) {
            return EINVAL;
        }
    }
    if (__cxa_get_globals != NULL) {
        (void)pymode_thread_local(__cxa_get_globals(), 2 * sizeof(void *));
    }
    struct __pthread *made = calloc(1, sizeof(*made));
    char *stack = made == NULL ? NULL : take_stack(size);
    if (stack == NULL) {
        free(made);
        return EAGAIN;
    }
    made->entry = entry;
    made->argument = argument;
    made->stack = stack;
    made->stack_size = size;
    made->life = detached == PTHREAD_CREATE_DETACHED ? DETACHED : JOINABLE;
    *thread = made;
    uint32_t top = (uint32_t)(uintptr_t)(stack + size) & ~15u;
    int error = pymode_thread_spawn((uint32_t)(uintptr_t)made, top);
    if (error != 0) {
        give_stack_back(stack, size);
        free(made);
        return error;
    }
    pymode_thread_count++;
    return 0;
}

static int
join(pthread_t thread, void **result, uint64_t until)
{
    if (thread == pymode_current) {
        return EDEADLK;
    }
    if (thread->life == DETACHED || thread->is_joined) {
        return EINVAL;
    }
    if (thread->life != ENDED) {
        thread->is_joined = true;
        int error = pymode_wait(&thread->joiners, until);
        if (error != 0) {
            thread->is_joined = false;
            return error;
        }
    }
    if (result != NULL) {
        *result = thread->result;
    }
    free(thread);
    return 0;
}

int
pthread_join(pthread_t thread, void **result)
{
    return join(thread, result, NEVER);
}

int
pthread_tryjoin_np(pthread_t thread, void **result)
{
    return thread->life == ENDED ? join(thread, result, NEVER) : EBUSY;
}

int
pthread_timedjoin_np(pthread_t thread, void **result,
                     const struct timespec *time)
{
    uint64_t until;
    int error = pymode_deadline(CLOCK_REALTIME, time, &until);
    return error == 0 ? join(thread, result, until) : error;
}

int
pthread_detach(pthread_t thread)
{
    switch (thread->life) {
    case DETACHED:
        return EINVAL;
    case ENDED:
        free(thread);
        return 0;
    case JOINABLE:
        if (thread->is_joined) {
            return EINVAL;
        }
        thread->life = DETACHED;
    }
    return 0;
}

_Noreturn void
pthread_exit(void *result)
{
    struct __pthread *self = pymode_current;
    self->result = result;
    if (self->exit != NULL) {
        longjmp(*self->exit, 1);
    }
    /* main: the process goes on until its last thread has ended. */
    pymode_end_values(self);
    while (pymode_thread_count != 0) {
        if (pymode_wait(&main_waits, NEVER) == EDEADLK) {
            break;
        }
    }
    exit(0);
}

int
pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    int error = pthread_attr_init(attributes);
    if (error == 0 && thread->stack != NULL) {
        error = pthread_attr_setstack(attributes, thread->stack,
                                      thread->stack_size);
    }
    if (error == 0) {
        error = pthread_attr_setdetachstate(
            attributes, thread->life == DETACHED ? PTHREAD_CREATE_DETACHED
                                                 : PTHREAD_CREATE_JOINABLE);
    }
    return error;
}
