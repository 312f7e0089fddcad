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

/* Tells what a pointer points into: a function, or data of a module.
 * - pointer: a table slot or an address
 * - base: where to write the address of the module's data, 0 for the program
 * - symbol: where to write the slot or address of the symbol, 0 when none is
 * known
 * - buf_ptr: where to copy the module's path to; when a symbol is known, a
 * NUL and its name follow
 * - buf_cap: how many bytes fit there; when the text is longer, nothing is
 * written
 * Returns the length of the text in bytes, 0 when nothing is known to lie
 * there.
 * On failure: 0; nothing waits in `dl_error`.
 */
PYMODE_IMPORT("dl_addr")
size_t pymode_dl_addr(const void *pointer,
                      void **base,
                      void **symbol,
                      char *buf_ptr,
                      size_t buf_cap);

/* Gives a handle back.
 * - handle: what `dl_open` gave
 * Returns 0, or -1.
 * On failure: -1; the message waits in `dl_error`.
 */
PYMODE_IMPORT("dl_close")
int pymode_dl_close(uint32_t handle);

/* Reads the message of the last `dl_*` call that failed. A call whose buffer
 * holds the whole message clears it.
 * - buf_ptr: where to copy the message to, without a NUL
 * - buf_cap: how many bytes fit there; 0 only asks for the length
 * Returns the length of the whole message in bytes, 0 when none waits.
 * On failure: none.
 */
PYMODE_IMPORT("dl_error")
size_t pymode_dl_error(char *buf_ptr, size_t buf_cap);

/* Loads a side module with all that it needs, and runs the constructors of
 * what is new.
 * - path_ptr: the path of the module, or a bare name to search for
 * - path_len: its length in bytes
 * - flags: `RTLD_*` as the guest's `<dlfcn.h>` has them
 * Returns a handle, or 0.
 * On failure: 0; the message waits in `dl_error`.
 */
PYMODE_IMPORT("dl_open")
uint32_t pymode_dl_open(const char *path_ptr, size_t path_len, int flags);

/* Finds a symbol of a loaded module, or of the modules that it needs.
 * - handle: what `dl_open` gave
 * - name_ptr: the symbol's name
 * - name_len: its length in bytes
 * - out: where to write a function's table slot or an object's address
 * Returns 0, or -1; a symbol may well have the address 0.
 * On failure: -1; `*out` is untouched and the message waits in `dl_error`.
 */
PYMODE_IMPORT("dl_sym")
int pymode_dl_sym(uint32_t handle,
                  const char *name_ptr,
                  size_t name_len,
                  void **out);

/* As `dl_sym`, for a module that tells who it is, so that `RTLD_DEFAULT` and
 * `RTLD_NEXT` mean what they do elsewhere.
 * - handle: what `dl_open` gave, or `RTLD_DEFAULT` or `RTLD_NEXT`
 * - name_ptr: the symbol's name
 * - name_len: its length in bytes
 * - caller: an address in the data of the module that asks, such as its
 * `__dso_handle`
 * - out: where to write a function's table slot or an object's address
 * Returns 0, or -1; a symbol may well have the address 0.
 * On failure: -1; `*out` is untouched and the message waits in `dl_error`.
 */
PYMODE_IMPORT("dl_sym_from")
int pymode_dl_sym_from(uint32_t handle,
                       const char *name_ptr,
                       size_t name_len,
                       const void *caller,
                       void **out);

/* Gives an open file another descriptor. Both share its place and its flags.
 * - fd: the descriptor that it has
 * - to: the descriptor that it is to have, or the least that it may have
 * - exactly: 1: `to` itself, and what that stood for is closed; 0: the
 * lowest that is free from there on
 * - out: where to write the new descriptor
 * Returns 0, or an `errno`.
 * On failure: an `errno`; nothing has changed then.
 */
PYMODE_IMPORT("fd_dup")
int pymode_fd_dup(int fd, int to, int exactly, uint32_t *out);

/* Opens two streams that lead to each other within the guest: a pipe, or a
 * pair of sockets.
 * - kind: 0: a pipe, from whose first end is read what is written to the
 * second; 1: stream sockets
 * - out: where to write the two descriptors
 * Returns 0, or an `errno`.
 * On failure: an `errno`; nothing is open then.
 */
PYMODE_IMPORT("fd_pair")
int pymode_fd_pair(int kind, uint32_t *out);

/* Sends an HTTP request, and opens the stream from which its answer is read.
 * Reading waits, as does polling.
 * - head_ptr: the method, the URL, and names and values of headers, with
 * NULs between them
 * - head_len: its length in bytes
 * - body_ptr: the request's body
 * - body_len: its length in bytes; 0 for none
 * - out: where to write the descriptor
 * Returns 0, or an `errno`.
 * On failure: an `errno`: `EACCES` where the network is not open to the
 * guest. What goes wrong later is in the stream: it is pieces with their
 * length in front (4 bytes, little-endian), first the head (the status, the
 * URL that answered, names and values of headers; or `error` and a reason),
 * then those of the body, then an empty one; a length of 2^32 - 1 says that
 * it breaks off.
 */
PYMODE_IMPORT("http_fetch")
int pymode_http_fetch(const char *head_ptr,
                      size_t head_len,
                      const char *body_ptr,
                      size_t body_len,
                      uint32_t *out);

#ifdef __cplusplus
}
#endif

#endif /* PYMODE_H */
