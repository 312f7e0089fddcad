/* What threads of a pymode guest have besides <pthread.h>. */

#ifndef PYMODE_THREAD_H
#define PYMODE_THREAD_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a variable each thread's own: its bytes are exchanged when another
 * thread runs, and are zero when a thread starts.  Without it a `_Thread_local`
 * variable is one for all threads.  Returns 0, or ENOMEM when there is no room
 * for more.
 */
int pymode_thread_local(void *address, size_t size);

/* Returns nonzero if threads have been started that have not ended. */
int pymode_thread_others(void);

/* Lets threads run that can, and the host do what has become due. */
void pymode_thread_yield(void);

/* Never returns, and runs nothing of what an end would. */
__attribute__((noreturn)) void pymode_thread_stop(void);

/* A program may define this: it is called when a thread waits on a condition
 * variable, and every other thread waits, too.  Returns nonzero if the wait is
 * to end as if it had been woken, and 0 if it is to fail with EDEADLK.
 */
int pymode_thread_deadlock(void);

/* A program may define this: it exchanges a word that each thread has its own
 * of, and returns the one before.
 */
const void *pymode_swap_language_state(const void *next);

#ifdef __cplusplus
}
#endif

#endif
