/* <pthread.h> with what zig's headers for WASI leave out.  There is no
 * pthread_cancel: nothing could stop a thread at its next wait. */

#include_next <pthread.h>

#ifndef PYMODE_PTHREAD_H
#define PYMODE_PTHREAD_H

#ifdef __cplusplus
extern "C" {
#endif

__attribute__((noreturn)) void pthread_exit(void *);
int pthread_getattr_np(pthread_t, pthread_attr_t *);
int pthread_tryjoin_np(pthread_t, void **);
int pthread_timedjoin_np(pthread_t, void **, const struct timespec *);

#ifdef __cplusplus
}
#endif

#endif
