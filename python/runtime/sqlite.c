/* SQLite as for any Unix.
 *
 * For WASI SQLite omits what WASI lacks: locks, which it replaces by files that
 * remain after a crash, and shared memory, without which there is no WAL.  The
 * host has locks, so SQLite is compiled without `__wasi__`.
 *
 * A WAL-index in shared memory is had within the process only.  Its
 * connections share one, as SQLite maps each part once per file.  Another
 * process would have its own, and the two would destroy the database: here
 * the lock by which processes tell that they use the index is exclusive, so
 * that every other one finds the database locked.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* The memory is zeroed, as the first connection truncates the index's file. */
static void *
map_index(void *address, size_t length, int protection, int flags, int fd,
          off_t offset)
{
    (void)address, (void)protection, (void)flags, (void)fd, (void)offset;
    void *memory = calloc(1, length);
    return memory != NULL ? memory : MAP_FAILED;
}

static int
unmap_index(void *address, size_t length)
{
    (void)length;
    free(address);
    return 0;
}

/* Only root can change the owner of a file. */
static int
change_owner(int fd, uid_t user, gid_t group)
{
    (void)fd, (void)user, (void)group;
    errno = EPERM;
    return -1;
}

static int lock_index_exclusively(int fd, int command, ...);

#undef __wasi__
#define mmap map_index
#define munmap unmap_index
#define fchown change_owner
#define fcntl lock_index_exclusively
#include "sqlite3.c"
#undef fcntl

/* The lock is the only one of a single byte at this place: those of a
   database begin at 1 GiB. */
static int
lock_index_exclusively(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    int done;
    if (command == F_GETLK || command == F_SETLK || command == F_SETLKW) {
        struct flock *lock = va_arg(rest, struct flock *);
        struct flock asked = *lock;
        if (command != F_GETLK && lock->l_type == F_RDLCK
            && lock->l_start == UNIX_SHM_DMS) {
            asked.l_type = F_WRLCK;
        }
        done = fcntl(fd, command, &asked);
        if (command == F_GETLK) {
            *lock = asked;
        }
    }
    else {
        done = fcntl(fd, command, va_arg(rest, int));
    }
    va_end(rest);
    return done;
}
