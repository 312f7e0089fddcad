/* What the host gives a guest: the functions of the import module `pymode`.
 *
 * Generated from abi/imports.toml by `cargo xtask codegen`.  Every pointer is
 * followed by its length; text is UTF-8 and need not end in NUL.
 */

#ifndef PYMODE_H
#define PYMODE_H

#include <stddef.h>
#include <stdint.h>

/* The contract's version, and the names that carry it. */
#define PYMODE_ABI_VERSION 1
#define PYMODE_ABI_SECTION "pymode.abi"
#define PYMODE_EXT_SUFFIX ".cpython-313-wasm32-pymode1.wasm"
#define PYMODE_PLATFORM_TAG "pymode_1_wasm32"

#define PYMODE_IMPORT(name) \
    __attribute__((import_module("pymode"), import_name(name)))

#ifdef __cplusplus
extern "C" {
#endif

/* Changes the working directory, where a path begins whose directory is
 * `AT_FDCWD`.
 * - fd: a directory, or `AT_FDCWD`
 * - path_ptr: the new one, from there
 * - path_len: its length in bytes
 * Returns 0, or an `errno`.
 * On failure: an `errno`; the working directory is the one before.
 */
PYMODE_IMPORT("chdir")
int pymode_chdir(int fd, const char *path_ptr, size_t path_len);

/* Finds the function, or the module's data, that a pointer points into.
 * - pointer: a table slot or an address
 * - base: receives the address of the module's data, 0 for the program
 * - symbol: receives the slot or address of the symbol, 0 if none is known
 * - buf_ptr: receives the module's path; if a symbol is known, a NUL and its
 * name follow
 * - buf_cap: size of the buffer in bytes; nothing is written if the text is
 * longer
 * Returns the length of the text in bytes, 0 if nothing is known about the
 * pointer.
 * On failure: 0; `dl_error` has no message.
 */
PYMODE_IMPORT("dl_addr")
size_t pymode_dl_addr(const void *pointer,
                      void **base,
                      void **symbol,
                      char *buf_ptr,
                      size_t buf_cap);

/* Releases a handle.
 * - handle: a handle from `dl_open`
 * Returns 0, or -1.
 * On failure: -1; `dl_error` has the message.
 */
PYMODE_IMPORT("dl_close")
int pymode_dl_close(uint32_t handle);

/* Reads the message of the last `dl_*` call that failed. A call whose buffer
 * holds the whole message clears it.
 * - buf_ptr: receives the message, without a NUL
 * - buf_cap: size of the buffer in bytes; 0 only queries the length
 * Returns the length of the whole message in bytes, 0 if there is none.
 * On failure: none.
 */
PYMODE_IMPORT("dl_error")
size_t pymode_dl_error(char *buf_ptr, size_t buf_cap);

/* Loads a side module and its dependencies, and runs the constructors of
 * those that are new.
 * - path_ptr: the path of the module, or a bare name to search for
 * - path_len: its length in bytes
 * - flags: `RTLD_*` of the guest's `<dlfcn.h>`
 * Returns a handle, or 0.
 * On failure: 0; `dl_error` has the message.
 */
PYMODE_IMPORT("dl_open")
uint32_t pymode_dl_open(const char *path_ptr, size_t path_len, int flags);

/* Finds a symbol of a loaded module or of its dependencies.
 * - handle: a handle from `dl_open`
 * - name_ptr: the symbol's name
 * - name_len: its length in bytes
 * - out: receives a function's table slot or an object's address
 * Returns 0, or -1; the address of a symbol may be 0.
 * On failure: -1; `*out` is unchanged and `dl_error` has the message.
 */
PYMODE_IMPORT("dl_sym")
int pymode_dl_sym(uint32_t handle,
                  const char *name_ptr,
                  size_t name_len,
                  void **out);

/* Finds a symbol for a module that identifies itself, so that `RTLD_DEFAULT`
 * and `RTLD_NEXT` work as on Linux.
 * - handle: a handle from `dl_open`, or `RTLD_DEFAULT` or `RTLD_NEXT`
 * - name_ptr: the symbol's name
 * - name_len: its length in bytes
 * - caller: an address in the calling module's data, such as its
 * `__dso_handle`
 * - out: receives a function's table slot or an object's address
 * Returns 0, or -1; the address of a symbol may be 0.
 * On failure: -1; `*out` is unchanged and `dl_error` has the message.
 */
PYMODE_IMPORT("dl_sym_from")
int pymode_dl_sym_from(uint32_t handle,
                       const char *name_ptr,
                       size_t name_len,
                       const void *caller,
                       void **out);

/* Checks what the guest may do with a file, as `faccessat(2)` does.
 * - fd: a directory, or `AT_FDCWD`
 * - path_ptr: the path, from there
 * - path_len: its length in bytes
 * - wanted: `F_OK`, or `R_OK`, `W_OK` and `X_OK`
 * - flags: 0, or `AT_SYMLINK_NOFOLLOW`
 * Returns 0, or an `errno`.
 * On failure: an `errno`.
 */
PYMODE_IMPORT("faccessat")
int pymode_faccessat(int fd,
                     const char *path_ptr,
                     size_t path_len,
                     int wanted,
                     int flags);

/* Changes the permissions of an open file, as `fchmod(2)` does.
 * - fd: its descriptor
 * - mode: the permissions
 * Returns 0, or an `errno`.
 * On failure: an `errno`.
 */
PYMODE_IMPORT("fchmod")
int pymode_fchmod(int fd, uint32_t mode);

/* Changes the permissions of a file, as `fchmodat(2)` does.
 * - fd: a directory, or `AT_FDCWD`
 * - path_ptr: the path, from there
 * - path_len: its length in bytes
 * - mode: the permissions
 * - flags: 0, or `AT_SYMLINK_NOFOLLOW`
 * Returns 0, or an `errno`.
 * On failure: an `errno`: `EOPNOTSUPP` for a symbolic link, which has no
 * permissions.
 */
PYMODE_IMPORT("fchmodat")
int pymode_fchmodat(int fd,
                    const char *path_ptr,
                    size_t path_len,
                    uint32_t mode,
                    int flags);

/* Duplicates a descriptor. Both share the file position and the flags.
 * - fd: the open descriptor
 * - to: the new descriptor, or its minimum
 * - exactly: 1: exactly `to`, which is closed first; 0: the lowest free
 * descriptor from `to`
 * - out: receives the new descriptor
 * Returns 0, or an `errno`.
 * On failure: an `errno`; nothing has changed.
 */
PYMODE_IMPORT("fd_dup")
int pymode_fd_dup(int fd, int to, int exactly, uint32_t *out);

/* Locks a part of an open file against other processes, or unlocks it. A
 * lock belongs to the guest, not to a descriptor; closing any descriptor of
 * the file drops all of them.
 * - fd: the descriptor
 * - kind: `F_RDLCK`, `F_WRLCK` or `F_UNLCK`
 * - start: the first byte
 * - len: number of bytes, 0 for all from there on
 * Returns 0, or an `errno`.
 * On failure: an `errno`: `EAGAIN` while another process holds a conflicting
 * lock; nothing has changed.
 */
PYMODE_IMPORT("fd_lock")
int pymode_fd_lock(int fd, int kind, uint64_t start, uint64_t len);

/* Finds a lock of another process that conflicts with this one.
 * - fd: the descriptor
 * - kind: `F_RDLCK` or `F_WRLCK`
 * - start: the first byte
 * - len: number of bytes, 0 for all from there on
 * - place: receives the start and the length of that lock
 * - held: receives its kind, `F_UNLCK` when there is none, and the number of
 * the process
 * Returns 0, or an `errno`.
 * On failure: an `errno`; nothing is written.
 */
PYMODE_IMPORT("fd_lock_test")
int pymode_fd_lock_test(int fd,
                        int kind,
                        uint64_t start,
                        uint64_t len,
                        uint64_t *place,
                        uint32_t *held);

/* Opens two connected streams within the guest: a pipe, or a pair of
 * sockets.
 * - kind: 0: a pipe, with the read end first; 1: stream sockets
 * - out: receives the two descriptors
 * Returns 0, or an `errno`.
 * On failure: an `errno`; nothing is open.
 */
PYMODE_IMPORT("fd_pair")
int pymode_fd_pair(int kind, uint32_t *out);

/* Describes an open file, as `fstat(2)` does.
 * - fd: its descriptor
 * - out: where to write a `struct stat`
 * Returns 0, or an `errno`.
 * On failure: an `errno`; nothing is written then.
 */
PYMODE_IMPORT("fstat")
int pymode_fstat(int fd, void *out);

/* Describes a file, as `fstatat(2)` does.
 * - fd: a directory, or `AT_FDCWD`
 * - path_ptr: the path, from there
 * - path_len: its length in bytes
 * - flags: 0, or `AT_SYMLINK_NOFOLLOW`
 * - out: where to write a `struct stat`
 * Returns 0, or an `errno`.
 * On failure: an `errno`; nothing is written then.
 */
PYMODE_IMPORT("fstatat")
int pymode_fstatat(int fd,
                   const char *path_ptr,
                   size_t path_len,
                   int flags,
                   void *out);

/* Copies the working directory's absolute path, without `.`, `..` and
 * symbolic links.
 * - buf_ptr: where to copy it to, without a NUL
 * - buf_cap: how many bytes fit there
 * - out: where to write its length in bytes
 * Returns 0, or an `errno`.
 * On failure: an `errno`: `ERANGE` when it does not fit.
 */
PYMODE_IMPORT("getcwd")
int pymode_getcwd(char *buf_ptr, size_t buf_cap, uint32_t *out);

/* Sends an HTTP request and opens the stream of its answer. Reading and
 * polling suspend the guest.
 * - head_ptr: the method, the URL, and the names and values of headers,
 * separated by NULs
 * - head_len: its length in bytes
 * - body_ptr: the request's body
 * - body_len: its length in bytes; 0 for none
 * - out: receives the descriptor
 * Returns 0, or an `errno`.
 * On failure: an `errno`: `EACCES` if the guest has no network. Later errors
 * are in the stream, which consists of pieces, each after its length (4
 * bytes, little-endian): first the head (the status, the URL that answered,
 * names and values of headers; or `error` and a reason), then those of the
 * body, then an empty one; a length of 2^32 - 1 marks an answer that breaks
 * off.
 */
PYMODE_IMPORT("http_fetch")
int pymode_http_fetch(const char *head_ptr,
                      size_t head_len,
                      const char *body_ptr,
                      size_t body_len,
                      uint32_t *out);

/* Creates a directory, as `mkdirat(2)` does.
 * - fd: a directory, or `AT_FDCWD`
 * - path_ptr: the path, from there
 * - path_len: its length in bytes
 * - mode: its permissions, before the mask of `umask`
 * Returns 0, or an `errno`.
 * On failure: an `errno`.
 */
PYMODE_IMPORT("mkdirat")
int pymode_mkdirat(int fd,
                   const char *path_ptr,
                   size_t path_len,
                   uint32_t mode);

/* Opens a file or a directory, as `openat(2)` does.
 * - fd: a directory, or `AT_FDCWD`
 * - path_ptr: the path, from there
 * - path_len: its length in bytes
 * - flags: `O_*` as the guest's `<fcntl.h>` has them
 * - mode: the permissions of a file that is created, before the mask of
 * `umask`
 * - out: where to write the descriptor
 * Returns 0, or an `errno`.
 * On failure: an `errno`; nothing is open then.
 */
PYMODE_IMPORT("openat")
int pymode_openat(int fd,
                  const char *path_ptr,
                  size_t path_len,
                  int flags,
                  uint32_t mode,
                  uint32_t *out);

/* Frees the number of the thread that runs: it returns from
 * `pymode_thread_start` without parking again.
 * - thread: its number
 * On failure: none.
 */
PYMODE_IMPORT("thread_end")
void pymode_thread_end(uint32_t thread);

/* Lets other threads run. Returns when another thread wakes this one, or at
 * a deadline, or for no reason. `__stack_pointer` is another thread's then,
 * and all that is in memory.
 * - thread: the number of the thread that runs
 * - until: the deadline, in nanoseconds of the monotonic clock; 2^64 - 1 for
 * none
 * - how: 0: wait; 1: wait also for the files that the last call has not
 * found ready; 2: only let others run first; 3: wait for ever; 4: let others
 * run and the host handle events first
 * Returns 0, or an `errno`.
 * On failure: an `errno`: `ETIMEDOUT` at the deadline; `EDEADLK` if every
 * thread waits and nothing can wake one.
 */
PYMODE_IMPORT("thread_park")
int pymode_thread_park(uint32_t thread, uint64_t until, int how);

/* Starts a thread. It runs when the running one parks: the host calls the
 * export `pymode_thread_start` with these two parameters, on a stack of its
 * own, and the thread ends when that returns.
 * - thread: the guest's number for it; 0 is the thread that the program
 * started with
 * - stack: the initial value of its `__stack_pointer`
 * Returns 0, or an `errno`.
 * On failure: an `errno`: `EAGAIN` if there are too many threads, `EINVAL`
 * if there is one of this number, `ENOSYS` if this machine can have none.
 */
PYMODE_IMPORT("thread_spawn")
int pymode_thread_spawn(uint32_t thread, uint32_t stack);

/* Wakes a thread that parks. The next park of one that does not returns at
 * once.
 * - thread: its number
 * Returns 0, or an `errno`.
 * On failure: an `errno`: `ESRCH` if there is no such thread.
 */
PYMODE_IMPORT("thread_unpark")
int pymode_thread_unpark(uint32_t thread);

/* Sets the mask of permissions that new files and directories do not get, as
 * `umask(2)` does.
 * - mask: the permissions
 * Returns the mask before.
 * On failure: none.
 */
PYMODE_IMPORT("umask")
uint32_t pymode_umask(uint32_t mask);

#ifdef __cplusplus
}
#endif

#endif /* PYMODE_H */
