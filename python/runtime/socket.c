/* The socket functions that libc lacks on WASI preview1.
 *
 * Many packages import `socket` without opening one, and asyncio needs a pair,
 * which the host provides.  There are no connections yet: socket() fails with
 * ENOSYS.  The ends of a pair are connected and have no addresses: their
 * address is loopback with port 0.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wasi/api.h>

#include "pymode.h"
#include "runtime.h"

static int
fail(int error)
{
    errno = error;
    return -1;
}

/* Returns -1 and sets errno if the descriptor is not a socket. */
static int
check_socket(int fd)
{
    __wasi_fdstat_t stat;
    int error = __wasi_fd_fdstat_get(fd, &stat);
    if (error != 0) {
        return fail(error);
    }
    return stat.fs_filetype == __WASI_FILETYPE_SOCKET_STREAM ? 0
                                                             : fail(ENOTSOCK);
}

/* Fails for a function that the ends of a pair lack. */
static int
refuse(int fd, int error)
{
    return check_socket(fd) == 0 ? fail(error) : -1;
}

static int
give_address(int fd, struct sockaddr *restrict address,
             socklen_t *restrict length)
{
    if (check_socket(fd) != 0) {
        return -1;
    }
    struct sockaddr_in loopback = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t room = *length;
    *length = sizeof(loopback);
    memcpy(address, &loopback,
           room < sizeof(loopback) ? room : sizeof(loopback));
    return 0;
}

int
socket(int domain, int type, int protocol)
{
    (void)domain, (void)type, (void)protocol;
    pymode_socket_refused = true;
    return fail(ENOSYS);
}

int
socketpair(int domain, int type, int protocol, int pair[2])
{
    if (domain != AF_INET && domain != AF_UNIX) {
        return fail(EAFNOSUPPORT);
    }
    if ((type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_STREAM) {
        return fail(EPROTOTYPE);
    }
    if (protocol != 0) {
        return fail(EPROTONOSUPPORT);
    }
    uint32_t opened[2];
    int error = pymode_fd_pair(1, opened);
    if (error != 0) {
        return fail(error);
    }
    for (int i = 0; i < 2; i++) {
        pair[i] = (int)opened[i];
        if (type & SOCK_NONBLOCK) {
            // It cannot fail: the descriptor is open and knows the flag.
            (void)fcntl(pair[i], F_SETFL, O_NONBLOCK);
        }
    }
    return 0;
}

int
connect(int fd, const struct sockaddr *address, socklen_t length)
{
    (void)address, (void)length;
    return refuse(fd, EISCONN);
}

int
bind(int fd, const struct sockaddr *address, socklen_t length)
{
    (void)address, (void)length;
    return refuse(fd, EINVAL);
}

int
listen(int fd, int backlog)
{
    (void)backlog;
    return refuse(fd, EINVAL);
}

int
getsockname(int fd, struct sockaddr *restrict address,
            socklen_t *restrict length)
{
    return give_address(fd, address, length);
}

int
getpeername(int fd, struct sockaddr *restrict address,
            socklen_t *restrict length)
{
    return give_address(fd, address, length);
}

ssize_t
sendto(int fd, const void *data, size_t size, int flags,
       const struct sockaddr *address, socklen_t length)
{
    (void)length;
    return address == NULL ? send(fd, data, size, flags) : refuse(fd, EISCONN);
}

ssize_t
recvfrom(int fd, void *restrict buffer, size_t size, int flags,
         struct sockaddr *restrict address, socklen_t *restrict length)
{
    ssize_t count = recv(fd, buffer, size, flags);
    if (count >= 0 && address != NULL && length != NULL) {
        // A connected stream has no sender's address.
        *length = 0;
    }
    return count;
}

int
setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    (void)level, (void)option, (void)value, (void)length;
    return refuse(fd, ENOPROTOOPT);
}
