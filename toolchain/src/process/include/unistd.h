/* What wasi-libc's header leaves out: a working directory by its descriptor.
   workdir.c has the function. */

#include_next <unistd.h>

#ifndef PYMODE_PROCESS_UNISTD_H
#define PYMODE_PROCESS_UNISTD_H

#ifdef __cplusplus
extern "C" {
#endif

int fchdir(int);

#ifdef __cplusplus
}
#endif

#endif
