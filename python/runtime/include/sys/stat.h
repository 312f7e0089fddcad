/* What libc's header leaves out on WASI: the mask of new files' modes.
   umask.c has the function. */

#ifndef PYMODE_SYS_STAT_H
#define PYMODE_SYS_STAT_H

#include_next <sys/stat.h>

#ifdef __cplusplus
extern "C" {
#endif

mode_t umask(mode_t);

#ifdef __cplusplus
}
#endif

#endif
