/* What libc's header leaves out on WASI: the time zone.  timezone.c, among the
   objects of every program, has it. */

/* Outside the guard: this directory and the interpreter's headers both have
   this file, and the first leads to the second. */
#include_next <time.h>

#ifndef PYMODE_TIME_H
#define PYMODE_TIME_H

#ifdef __cplusplus
extern "C" {
#endif

void tzset(void);

extern char *tzname[2];
extern long timezone;
extern int daylight;

#ifdef __cplusplus
}
#endif

#endif
