/* Reading, writing and polling let other threads run while they wait.
 *
 * The host never waits in a guest with threads: it answers EAGAIN, or that
 * nothing has come yet.  Then the thread parks, and calls again.  These
 * functions have the names by which libc's `__wasi_*` import the host's, so
 * that everything in libc that waits comes here.
 */

#include "restoring.h"

#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

/* 0 when the call is to be made again; what it returns otherwise. */
static int32_t
wait_for(int32_t error, __wasi_fd_t fd)
{
    __wasi_fdstat_t stat;
    if (error != EAGAIN || __wasi_fd_fdstat_get(fd, &stat) != 0
        || stat.fs_flags & __WASI_FDFLAGS_NONBLOCK) {
        return error;
    }
    return pymode_park(NEVER, PARK_FOR_FILES);
}

#define WAITING(call, fd)                                                      \
    for (;;) {                                                                 \
        int32_t error = call;                                                      \
        if (error != EAGAIN) {                                                 \
            return error;                                                      \
        }                                                                      \
        error = wait_for(error, fd);                                           \
        if (error != 0) {                                                      \
            return error;                                                      \
        }                                                                      \
    }

#define HOST(name)                                                             \
    __attribute__((import_module("wasi_snapshot_preview1"), import_name(name)))

HOST("fd_read")
int32_t host_fd_read(int32_t, int32_t, int32_t, int32_t);

int32_t
__imported_wasi_snapshot_preview1_fd_read(int32_t fd, int32_t into,
                                          int32_t count, int32_t read)
{
    WAITING(host_fd_read(fd, into, count, read), fd)
}

/* In a Worker it waits in the host while too much of the output is unread. */
RESTORING("pymode_fd_write_here", "host_fd_write", "wasi_snapshot_preview1",
          "fd_write", "(i32, i32, i32, i32)", "4", GET_4);
int32_t pymode_fd_write_here(int32_t, int32_t, int32_t, int32_t);

static int32_t
write_here(int32_t fd, int32_t from, int32_t count, int32_t written)
{
    struct __pthread *self = pymode_leave();
    int32_t error = pymode_fd_write_here(fd, from, count, written);
    pymode_return_to(self);
    return error;
}

int32_t
__imported_wasi_snapshot_preview1_fd_write(int32_t fd, int32_t from,
                                           int32_t count, int32_t written)
{
    WAITING(write_here(fd, from, count, written), fd)
}

HOST("sock_recv")
int32_t host_sock_recv(int32_t, int32_t, int32_t, int32_t, int32_t, int32_t);

int32_t
__imported_wasi_snapshot_preview1_sock_recv(int32_t fd, int32_t into,
                                            int32_t count, int32_t flags,
                                            int32_t read, int32_t out)
{
    WAITING(host_sock_recv(fd, into, count, flags, read, out), fd)
}

HOST("sock_send")
int32_t host_sock_send(int32_t, int32_t, int32_t, int32_t, int32_t);

int32_t
__imported_wasi_snapshot_preview1_sock_send(int32_t fd, int32_t from,
                                            int32_t count, int32_t flags,
                                            int32_t written)
{
    WAITING(host_sock_send(fd, from, count, flags, written), fd)
}

static int
now(__wasi_clockid_t clock, uint64_t *time)
{
    return __wasi_clock_time_get(clock, 0, time);
}

static uint64_t
add(uint64_t time, uint64_t more)
{
    return more > NEVER - time ? NEVER : time + more;
}

/* Makes a relative time an absolute one, so that it does not begin anew with
   each call, and finds the earliest deadline. */
static int
fix_times(__wasi_subscription_t *wanted, size_t count, uint64_t *until)
{
    *until = NEVER;
    uint64_t start;
    int error = now(__WASI_CLOCKID_MONOTONIC, &start);
    for (size_t i = 0; error == 0 && i < count; i++) {
        if (wanted[i].u.tag != __WASI_EVENTTYPE_CLOCK) {
            continue;
        }
        __wasi_subscription_clock_t *clock = &wanted[i].u.u.clock;
        uint64_t here, left;
        if (now(clock->id, &here) != 0) {
            /* The host says so in an event. */
            *until = start;
            continue;
        }
        if (clock->flags & __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME) {
            left = clock->timeout > here ? clock->timeout - here : 0;
        }
        else {
            left = clock->timeout;
            clock->timeout = add(here, left);
            clock->flags |= __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME;
        }
        uint64_t deadline = add(start, left);
        *until = deadline < *until ? deadline : *until;
    }
    return error;
}

HOST("poll_oneoff")
int32_t host_poll_oneoff(const __wasi_subscription_t *, int32_t, int32_t,
                         __wasi_size_t *);

int32_t
__imported_wasi_snapshot_preview1_poll_oneoff(int32_t wanted, int32_t events,
                                              int32_t signed_count,
                                              int32_t used_at)
{
    enum { FEW = 8 };
    __wasi_subscription_t few[FEW];
    __wasi_subscription_t *copy = few;
    size_t count = (size_t)signed_count;
    __wasi_size_t *used = (__wasi_size_t *)used_at;
    if (count > FEW) {
        copy = calloc(count, sizeof(*copy));
        if (copy == NULL) {
            return ENOMEM;
        }
    }
    memcpy(copy, (const void *)wanted, count * sizeof(*copy));
    enum park how = PARK;
    for (size_t i = 0; i < count; i++) {
        if (copy[i].u.tag != __WASI_EVENTTYPE_CLOCK) {
            how = PARK_FOR_FILES;
        }
    }
    uint64_t until;
    int error = fix_times(copy, count, &until);
    while (error == 0) {
        error = host_poll_oneoff(copy, events, signed_count, used);
        if (error != 0 || *used != 0) {
            break;
        }
        error = pymode_park(until, how);
        error = error == ETIMEDOUT ? 0 : error;
    }
    if (copy != few) {
        free(copy);
    }
    return error;
}
