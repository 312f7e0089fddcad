/* What libc++ needs and libc does not have on WASI.  Hidden: no other module
 * sees these, unless they are of the C++ ABI.
 */

#include "wasi.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>

int __cxa_atexit(void (*function)(void *), void *argument, void *module);

/* Exceptions that are being handled: each thread has its own. */
#pragma weak pymode_thread_local
int pymode_thread_local(void *address, size_t size);
void *__cxa_get_globals(void);

__attribute__((constructor)) static void
register_globals(void)
{
    if (pymode_thread_local != NULL) {
        (void)pymode_thread_local(__cxa_get_globals(), 2 * sizeof(void *));
    }
}

/* The destructor of a thread_local.  There is one thread, and it ends with the
 * process.  libc++abi defines this for Linux only. */
__attribute__((visibility("default"))) int
__cxa_thread_atexit(void (*function)(void *), void *argument, void *module)
{
    return __cxa_atexit(function, argument, module);
}

/* std::filesystem::copy_file tries the two ways of the kernel, and on this
 * answer copies by reading and writing. */
ssize_t
copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t length, unsigned flags)
{
    (void)from, (void)from_at, (void)to, (void)to_at, (void)length, (void)flags;
    errno = EINVAL;
    return -1;
}

ssize_t
sendfile(int to, int from, off_t *at, size_t length)
{
    (void)to, (void)from, (void)at, (void)length;
    errno = EINVAL;
    return -1;
}

/* std::filesystem::space: WASI cannot ask.  libc says the same by this name,
 * and a program that has both takes libc's. */
__attribute__((weak)) int
statvfs(const char *restrict path, struct statvfs *restrict info)
{
    (void)path, (void)info;
    errno = ENOSYS;
    return -1;
}
