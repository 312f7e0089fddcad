/* What libc's header leaves out on WASI: second descriptors and pipes, whose
   functions are in descriptor.c; the user, in user.c. */

#ifndef PYMODE_UNISTD_H
#define PYMODE_UNISTD_H

#include_next <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

int dup(int);
int dup2(int, int);
int dup3(int, int, int);
int pipe(int[2]);
int pipe2(int[2], int);

int fchdir(int);

uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);
int getgroups(int, gid_t[]);

#ifdef __cplusplus
}
#endif

#endif
