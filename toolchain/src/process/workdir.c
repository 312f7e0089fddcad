/* The working directory of the guest.
 *
 * The host keeps it.  It tells through PWD, as a shell would, where the guest
 * is to begin; this must have happened before main(), or a constructor, looks
 * at a relative path, hence a constructor that comes right after libc's own.
 * A directory that cannot be entered leaves the guest at `/`.
 *
 * This object defines what wasi-libc's chdir.o and getcwd.o define, so that
 * neither is linked.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wasi/libc-find-relpath.h>

#include "pymode.h"

static int
enter(int directory, const char *path)
{
    int error = pymode_chdir(directory, path, strlen(path));
    if (error == 0) {
        return 0;
    }
    errno = error;
    return -1;
}

int
chdir(const char *path)
{
    return enter(AT_FDCWD, path);
}

int
fchdir(int fd)
{
    return enter(fd, ".");
}

char *
getcwd(char *buffer, size_t size)
{
    if (buffer != NULL && size == 0) {
        errno = EINVAL;
        return NULL;
    }
    char path[PATH_MAX];
    size_t room = buffer == NULL ? sizeof path : size;
    uint32_t length;
    int error =
        pymode_getcwd(buffer == NULL ? path : buffer, room - 1, &length);
    if (error != 0) {
        errno = error;
        return NULL;
    }
    if (buffer == NULL) {
        path[length] = '\0';
        return strdup(path);
    }
    buffer[length] = '\0';
    return buffer;
}

/* Rust's standard library asks where a path leads: to itself, from the
   working directory. */
int
__wasilibc_find_relpath_alloc(const char *path, const char **prefix,
                              char **relative, size_t *relative_size,
                              int can_realloc)
{
    size_t size = strlen(path) + 1;
    if (size == 1) {
        errno = ENOENT;
        return -1;
    }
    if (*relative_size < size) {
        char *larger = can_realloc ? realloc(*relative, size) : NULL;
        if (larger == NULL) {
            errno = can_realloc ? ENOMEM : ERANGE;
            return -1;
        }
        *relative = larger;
        *relative_size = size;
    }
    memcpy(*relative, path, size);
    *prefix = "";
    return AT_FDCWD;
}

__attribute__((constructor(99)))
static void
enter_working_directory(void)
{
    const char *directory = getenv("PWD");
    if (directory != NULL && directory[0] == '/') {
        (void)chdir(directory);
    }
}
