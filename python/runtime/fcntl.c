/* fcntl with locks, which libc lacks on WASI.
 *
 * The host keeps the locks.  Those of its own files are locks of its system and
 * exclude other processes; no other process can open the guest's own files.
 * As in POSIX, a lock belongs to the process: the guest never waits for itself,
 * and closing any descriptor of a file releases all locks of the file.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

#include "pymode.h"

/* Time between two attempts of F_SETLKW. */
#define PAUSE_NANOSECONDS 5000000

static int
result(int error)
{
    if (error == 0) {
        return 0;
    }
    errno = error;
    return -1;
}

static int
get_flags(int fd)
{
    __wasi_fdstat_t stat;
    int error = __wasi_fd_fdstat_get(fd, &stat);
    if (error != 0) {
        return result(error);
    }
    bool reads = stat.fs_rights_base
                 & (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_READDIR);
    bool writes = stat.fs_rights_base & __WASI_RIGHTS_FD_WRITE;
    int access = reads && writes ? O_RDWR
                 : reads ? O_RDONLY : writes ? O_WRONLY : O_SEARCH;
    return stat.fs_flags | access;
}

/* Computes the offset of a lock from the beginning of the file, and a length
   that is not negative.  Returns the error. */
static int
find_range(int fd, const struct flock *lock, uint64_t *start, uint64_t *length)
{
    off_t base = 0;
    if (lock->l_whence != SEEK_SET) {
        if (lock->l_whence != SEEK_CUR && lock->l_whence != SEEK_END) {
            return EINVAL;
        }
        off_t here = lseek(fd, 0, SEEK_CUR);
        if (here < 0) {
            return errno;
        }
        base = here;
        if (lock->l_whence == SEEK_END) {
            base = lseek(fd, 0, SEEK_END);
            if (base < 0 || lseek(fd, here, SEEK_SET) < 0) {
                return errno;
            }
        }
    }
    off_t first, count = lock->l_len;
    if (__builtin_add_overflow(base, lock->l_start, &first)) {
        return EOVERFLOW;
    }
    if (count < 0) {
        first += count;
        count = -count;
    }
    if (first < 0) {
        return EINVAL;
    }
    *start = first;
    *length = count;
    return 0;
}

static int
set_lock(int fd, const struct flock *lock, bool waits)
{
    uint64_t start, length;
    int error = find_range(fd, lock, &start, &length);
    if (error == 0) {
        error = pymode_fd_lock(fd, lock->l_type, start, length);
    }
    while (error == EAGAIN && waits) {
        struct timespec pause = {.tv_nsec = PAUSE_NANOSECONDS};
        (void)nanosleep(&pause, NULL);
        error = pymode_fd_lock(fd, lock->l_type, start, length);
    }
    return result(error);
}

static int
get_lock(int fd, struct flock *lock)
{
    uint64_t range[2];
    uint32_t held[2];
    int error = find_range(fd, lock, &range[0], &range[1]);
    if (error == 0) {
        error = pymode_fd_lock_test(fd, lock->l_type, range[0], range[1],
                                    range, held);
    }
    if (error != 0) {
        return result(error);
    }
    lock->l_type = (short)held[0];
    if (lock->l_type != F_UNLCK) {
        lock->l_whence = SEEK_SET;
        lock->l_start = (off_t)range[0];
        lock->l_len = (off_t)range[1];
        lock->l_pid = (pid_t)held[1];
    }
    return 0;
}

int
fcntl(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    int done;
    switch (command) {
    case F_GETFD:
        /* There are no child processes. */
        done = get_flags(fd) < 0 ? -1 : FD_CLOEXEC;
        break;
    case F_SETFD:
        done = get_flags(fd) < 0 ? -1 : 0;
        break;
    case F_GETFL:
        done = get_flags(fd);
        break;
    case F_SETFL:
        done = result(
            __wasi_fd_fdstat_set_flags(fd, va_arg(rest, int) & 0xfff));
        break;
    case F_GETLK:
        done = get_lock(fd, va_arg(rest, struct flock *));
        break;
    case F_SETLK:
    case F_SETLKW:
        done = set_lock(fd, va_arg(rest, struct flock *),
                        command == F_SETLKW);
        break;
    default:
        done = result(EINVAL);
    }
    va_end(rest);
    return done;
}
