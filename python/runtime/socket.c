/* The socket functions that libc has not on WASI preview1.
 *
 * `_socket` must import: types.CapsuleType is the type of its CAPI, and half of
 * PyPI imports `socket` without ever opening one.  There are no connections
 * yet, so a socket cannot be made and says so with ENOSYS, which Python shows
 * as an OSError.  No descriptor is a socket, then: whoever passes one to the
 * other functions is told ENOTSOCK, or EBADF when it is not even open.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

static int
fail(int error)
{
    errno = error;
    return -1;
}

static int
not_a_socket(int fd)
{
    return fcntl(fd, F_GETFD) == -1 ? -1 : fail(ENOTSOCK);
}

int
socket(int domain, int type, int protocol)
{
    (void)domain, (void)type, (void)protocol;
    return fail(ENOSYS);
}

int
socketpair(int domain, int type, int protocol, int pair[2])
{
    (void)domain, (void)type, (void)protocol, (void)pair;
    return fail(ENOSYS);
}

int
connect(int fd, const struct sockaddr *address, socklen_t length)
{
    (void)address, (void)length;
    return not_a_socket(fd);
}

int
bind(int fd, const struct sockaddr *address, socklen_t length)
{
    (void)address, (void)length;
    return not_a_socket(fd);
}

int
listen(int fd, int backlog)
{
    (void)backlog;
    return not_a_socket(fd);
}

int
getsockname(int fd, struct sockaddr *restrict address,
            socklen_t *restrict length)
{
    (void)address, (void)length;
    return not_a_socket(fd);
}

int
getpeername(int fd, struct sockaddr *restrict address,
            socklen_t *restrict length)
{
    (void)address, (void)length;
    return not_a_socket(fd);
}

ssize_t
sendto(int fd, const void *data, size_t size, int flags,
       const struct sockaddr *address, socklen_t length)
{
    (void)data, (void)size, (void)flags, (void)address, (void)length;
    return not_a_socket(fd);
}

ssize_t
recvfrom(int fd, void *restrict buffer, size_t size, int flags,
         struct sockaddr *restrict address, socklen_t *restrict length)
{
    (void)buffer, (void)size, (void)flags, (void)address, (void)length;
    return not_a_socket(fd);
}

int
setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    (void)level, (void)option, (void)value, (void)length;
    return not_a_socket(fd);
}
