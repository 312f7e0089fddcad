/* wasi-libc's <dlfcn.h>, and what it leaves out. */

#ifndef PYMODE_DLFCN_H
#define PYMODE_DLFCN_H

#include_next <dlfcn.h>

#if defined(_GNU_SOURCE) || defined(_BSD_SOURCE)

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *dli_fname; /* the module's path */
    void *dli_fbase;       /* where its data begins; NULL for the program */
    const char *dli_sname; /* the symbol, or NULL */
    void *dli_saddr;       /* its address, or NULL */
} Dl_info;

/* Functions and data have number spaces of their own here: a number that is a
 * function's address is taken for that. */
int dladdr(const void *, Dl_info *);

#ifdef __cplusplus
}
#endif

#endif

#endif
