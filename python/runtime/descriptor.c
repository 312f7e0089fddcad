/* dup() and pipe(), which WASI preview1 lacks, as functions of the host.
 *
 * There are no child processes to inherit a descriptor: O_CLOEXEC is accepted
 * and has no effect.
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "pymode.h"

static int
fail(int error)
{
    errno = error;
    return -1;
}

static int
duplicate(int fd, int to, int exactly)
{
    uint32_t result;
    int error = pymode_fd_dup(fd, to, exactly, &result);
    return error == 0 ? (int)result : fail(error);
}

int
dup(int fd)
{
    return duplicate(fd, 0, 0);
}

int
dup2(int fd, int to)
{
    return duplicate(fd, to, 1);
}

int
dup3(int fd, int to, int flags)
{
    return fd == to || (flags & ~O_CLOEXEC) ? fail(EINVAL)
                                            : duplicate(fd, to, 1);
}

int
pipe2(int ends[2], int flags)
{
    if (flags & ~(O_CLOEXEC | O_NONBLOCK)) {
        return fail(EINVAL);
    }
    uint32_t opened[2];
    int error = pymode_fd_pair(0, opened);
    if (error != 0) {
        return fail(error);
    }
    for (int i = 0; i < 2; i++) {
        ends[i] = (int)opened[i];
        if (flags & O_NONBLOCK) {
            // It cannot fail: the descriptor is open and knows the flag.
            (void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
        }
    }
    return 0;
}

int
pipe(int ends[2])
{
    return pipe2(ends, 0);
}
