/* What libc's header leaves out on WASI: locks.  fcntl.c has the function.
   The values are those of musl for 32-bit machines. */

#ifndef PYMODE_FCNTL_H
#define PYMODE_FCNTL_H

#include_next <fcntl.h>

#ifndef F_RDLCK
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
#endif

#ifndef F_SETLK
#define F_GETLK 12
#define F_SETLK 13
#define F_SETLKW 14
#endif

#endif
