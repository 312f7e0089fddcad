/* The functions that take a path.
 *
 * wasi-libc keeps the working directory to itself and turns each path into
 * one below a preopened directory before the host sees it.  On the way an
 * empty path becomes that directory, an error of the host becomes ENOENT, a
 * mode is lost, and linkat() overwrites its first path with its second.  Here
 * the host knows the working directory, as a kernel does: it takes AT_FDCWD
 * for a directory, and each path as the program gives it.
 *
 * This object defines what wasi-libc's posix.o, at_fdcwd.o, fstatat.o and
 * fstat.o define, so that none of them is linked.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>
#include <wasi/libc.h>
#include <wasi/libc-nocwd.h>

#include "pymode.h"

/* The host writes a `struct stat` as it is laid out here. */
_Static_assert(offsetof(struct stat, st_mode) == 24, "st_mode has moved");
_Static_assert(offsetof(struct stat, st_size) == 48, "st_size has moved");
_Static_assert(offsetof(struct stat, st_ctim) == 104, "st_ctim has moved");
_Static_assert(sizeof(struct stat) == 144, "struct stat has changed");

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
open_with(int directory, const char *path, int flags, mode_t mode)
{
    uint32_t fd;
    int error =
        pymode_openat(directory, path, strlen(path), flags, mode, &fd);
    return error == 0 ? (int)fd : result(error);
}

int
openat(int directory, const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    return open_with(directory, path, flags, mode);
}

int
open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    return open_with(AT_FDCWD, path, flags, mode);
}

/* wasi-libc's fopen() and truncate() call it. */
int
__wasilibc_open_nomode(const char *path, int flags)
{
    return open_with(AT_FDCWD, path, flags, 0666);
}

int
__wasilibc_nocwd_openat_nomode(int directory, const char *path, int flags)
{
    return open_with(directory, path, flags, 0666);
}

int
fstatat(int directory, const char *restrict path, struct stat *restrict out,
        int flags)
{
    return result(
        pymode_fstatat(directory, path, strlen(path), flags, out));
}

/* wasi-libc's opendir() and readdir() call it. */
int
__wasilibc_nocwd_fstatat(int directory, const char *restrict path,
                         struct stat *restrict out, int flags)
{
    return fstatat(directory, path, out, flags);
}

int
stat(const char *restrict path, struct stat *restrict out)
{
    return fstatat(AT_FDCWD, path, out, 0);
}

int
lstat(const char *restrict path, struct stat *restrict out)
{
    return fstatat(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

int
fstat(int fd, struct stat *out)
{
    return result(pymode_fstat(fd, out));
}

int
faccessat(int directory, const char *path, int wanted, int flags)
{
    return result(
        pymode_faccessat(directory, path, strlen(path), wanted, flags));
}

int
access(const char *path, int wanted)
{
    return faccessat(AT_FDCWD, path, wanted, 0);
}

int
fchmodat(int directory, const char *path, mode_t mode, int flags)
{
    return result(
        pymode_fchmodat(directory, path, strlen(path), mode, flags));
}

int
chmod(const char *path, mode_t mode)
{
    return fchmodat(AT_FDCWD, path, mode, 0);
}

int
fchmod(int fd, mode_t mode)
{
    return result(pymode_fchmod(fd, mode));
}

mode_t
umask(mode_t mask)
{
    return pymode_umask(mask);
}

int
mkdirat(int directory, const char *path, mode_t mode)
{
    return result(pymode_mkdirat(directory, path, strlen(path), mode));
}

int
mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int
utimensat(int directory, const char *path, const struct timespec times[2],
          int flags)
{
    return __wasilibc_nocwd_utimensat(directory, path, times, flags);
}

int
utimes(const char *path, const struct timeval times[2])
{
    struct timespec new[2];
    if (times != NULL) {
        for (int i = 0; i < 2; i++) {
            new[i] = (struct timespec){
                .tv_sec = times[i].tv_sec,
                .tv_nsec = times[i].tv_usec * 1000,
            };
        }
    }
    return utimensat(AT_FDCWD, path, times == NULL ? NULL : new, 0);
}

int
utime(const char *path, const struct utimbuf *times)
{
    struct timespec new[2];
    if (times != NULL) {
        new[0] = (struct timespec){.tv_sec = times->actime};
        new[1] = (struct timespec){.tv_sec = times->modtime};
    }
    return utimensat(AT_FDCWD, path, times == NULL ? NULL : new, 0);
}

ssize_t
readlinkat(int directory, const char *restrict path, char *restrict out,
           size_t room)
{
    return __wasilibc_nocwd_readlinkat(directory, path, out, room);
}

ssize_t
readlink(const char *restrict path, char *restrict out, size_t room)
{
    return readlinkat(AT_FDCWD, path, out, room);
}

int
symlinkat(const char *target, int directory, const char *path)
{
    return __wasilibc_nocwd_symlinkat(target, directory, path);
}

int
symlink(const char *target, const char *path)
{
    return symlinkat(target, AT_FDCWD, path);
}

int
linkat(int from_directory, const char *from, int to_directory, const char *to,
       int flags)
{
    return __wasilibc_nocwd_linkat(from_directory, from, to_directory, to,
                                   flags);
}

int
link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
renameat(int from_directory, const char *from, int to_directory,
         const char *to)
{
    return __wasilibc_nocwd_renameat(from_directory, from, to_directory, to);
}

int
rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int
__wasilibc_unlinkat(int directory, const char *path)
{
    return __wasilibc_nocwd___wasilibc_unlinkat(directory, path);
}

int
unlink(const char *path)
{
    return __wasilibc_unlinkat(AT_FDCWD, path);
}

int
__wasilibc_rmdirat(int directory, const char *path)
{
    return __wasilibc_nocwd___wasilibc_rmdirat(directory, path);
}

int
rmdir(const char *path)
{
    return __wasilibc_rmdirat(AT_FDCWD, path);
}

int
remove(const char *path)
{
    if (unlink(path) == 0) {
        return 0;
    }
    return errno == EISDIR ? rmdir(path) : -1;
}

DIR *
opendirat(int directory, const char *path)
{
    return __wasilibc_nocwd_opendirat(directory, path);
}

DIR *
opendir(const char *path)
{
    return opendirat(AT_FDCWD, path);
}

int
scandirat(int directory, const char *path, struct dirent ***names,
          int (*wants)(const struct dirent *),
          int (*compare)(const struct dirent **, const struct dirent **))
{
    return __wasilibc_nocwd_scandirat(directory, path, names, wants, compare);
}

int
scandir(const char *restrict path, struct dirent ***restrict names,
        int (*wants)(const struct dirent *),
        int (*compare)(const struct dirent **, const struct dirent **))
{
    return scandirat(AT_FDCWD, path, names, wants, compare);
}

/* WASI tells nothing of a file system as a whole. libc's own lie in the object
   that has its paths, which must not be linked beside these. */
int
statvfs(const char *restrict path, struct statvfs *restrict status)
{
    (void)path;
    (void)status;
    errno = ENOSYS;
    return -1;
}

int
fstatvfs(int file, struct statvfs *status)
{
    (void)file;
    (void)status;
    errno = ENOSYS;
    return -1;
}
