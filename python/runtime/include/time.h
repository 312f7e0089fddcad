/* What libc's header leaves out on WASI: the time zone.  timezone.c, among the
   objects of every program, has it. */

#ifndef PYMODE_TIME_H
#define PYMODE_TIME_H

#include_next <time.h>

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
