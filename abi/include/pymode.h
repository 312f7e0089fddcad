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

#ifdef __cplusplus
}
#endif

#endif /* PYMODE_H */
