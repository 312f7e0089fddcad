/* What the files of the thread library share.
 *
 * Threads are cooperative: one runs at a time, and another one only while it
 * parks.  So nothing here needs an atomic instruction, and between two calls
 * of pymode_park() nothing changes by itself.
 */

#ifndef PYMODE_THREADS_H
#define PYMODE_THREADS_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* A deadline that never comes.  Deadlines are nanoseconds of the monotonic
   clock. */
#define NEVER UINT64_MAX

/* Bytes of thread-local variables that are exchanged when another thread
   runs. */
#define LOCALS 64

struct waiter {
    struct waiter *next;
    struct __pthread *thread;
    bool is_woken;
};

/* Those who wait, in their order.  It lies in the words of a mutex, a condition
   variable and so on, which are zero at first. */
struct queue {
    struct waiter *head;
    struct waiter *tail;
};

enum life { JOINABLE, DETACHED, ENDED };

struct __pthread {
    struct __pthread *next;
    void *(*entry)(void *);
    void *argument;
    void *result;
    /* The lowest address; NULL for main. */
    char *stack;
    size_t stack_size;
    enum life life;
    bool is_joined;
    struct queue joiners;
    /* Values of keys; NULL until the first one is set. */
    void **values;
    jmp_buf *exit;
    unsigned char locals[LOCALS];
    const void *language_state;
};

extern struct __pthread *pymode_current;

/* Number of threads besides main that have not ended. */
extern unsigned pymode_thread_count;

enum park {
    PARK = 0,
    PARK_FOR_FILES = 1,
    PARK_AND_YIELD = 2,
    PARK_FOR_EVER = 3,
    PARK_AND_LET_EVENTS = 4,
};

/* Lets other threads run until this one is woken.  0, ETIMEDOUT, or EDEADLK
   when nothing could ever wake it.  It may also return 0 for no reason. */
int pymode_park(uint64_t until, enum park how);

void pymode_unpark(struct __pthread *thread);

/* Waits at the end of a queue until it is woken from it.  0, or an error of
   pymode_park(), and then the thread is in the queue no more. */
int pymode_wait(struct queue *queue, uint64_t until);

/* Takes the first thread out of a queue and lets it run; NULL if there is
   none. */
struct __pthread *pymode_wake(struct queue *queue);

/* The deadline that a time of `clock` is.  0, or EINVAL. */
int pymode_deadline(clockid_t clock, const struct timespec *time,
                    uint64_t *deadline);

/* Calls the destructors of a thread's values. */
void pymode_end_values(struct __pthread *thread);

/* Checks that the current thread did not write beyond its stack. */
void pymode_check_stack(void);

#endif
