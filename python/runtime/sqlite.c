/* SQLite as for any Unix.
 *
 * For WASI SQLite omits what WASI lacks: locks, which it replaces by files that
 * remain after a crash, and shared memory, without which there is no WAL.  The
 * host has locks, so SQLite is compiled without `__wasi__`.
 *
 * The WAL-index in shared memory exists in one process only.  The connections
 * of the process share it, as SQLite maps each part once per file.  Another
 * process would have its own, and the two would destroy the database: here
 * the lock by which processes announce that they use the index is exclusive,
 * and every other process gets "database is locked".
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

struct sqlite3_file;
static int (unixShmMap)(struct sqlite3_file *file, int part, int size,
                        int extend, void volatile **memory);

#undef __wasi__
#define mmap map_index
#define munmap unmap_index
#define fchown change_owner
#define fcntl lock_index_exclusively
/* Renames the definition; the table of methods names ours, which is not
   followed by a parenthesis. */
#define unixShmMap(...) map_index_part(__VA_ARGS__)
#include "sqlite3.c"
#undef unixShmMap
#undef fcntl

/* SQLite takes a plain SQLITE_BUSY for an index that another process is about
   to make: it tries again for ten seconds, without the busy handler, and fails
   with "locking protocol". */
static int
(unixShmMap)(sqlite3_file *file, int part, int size, int extend,
             void volatile **memory)
{
    int result = map_index_part(file, part, size, extend, memory);
    return result == SQLITE_BUSY ? SQLITE_BUSY_RECOVERY : result;
}

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
