/* What wasi-libc's header leaves out: the mask of new files' permissions.
   path.c has the function. */

#include_next <sys/stat.h>

#ifndef PYMODE_PROCESS_SYS_STAT_H
#define PYMODE_PROCESS_SYS_STAT_H

#ifdef __cplusplus
extern "C" {
#endif

mode_t umask(mode_t);

#ifdef __cplusplus
}
#endif

#endif
