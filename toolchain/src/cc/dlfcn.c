/* <dlfcn.h> over the host's pymode.dl_*, for programs that load modules.
 *
 * Python does not pass through here: its importer asks the host itself.
 */

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(name) \
    __attribute__((import_module("pymode"), import_name(#name)))

IMPORT(dl_open) uint32_t host_dl_open(const char *path, size_t length, int flags);
IMPORT(dl_sym) int host_dl_sym(uint32_t handle, const char *name, size_t length, void **out);
IMPORT(dl_close) int host_dl_close(uint32_t handle);
IMPORT(dl_error) size_t host_dl_error(char *buffer, size_t capacity);

void *
dlopen(const char *path, int flags)
{
    /* No path is the program itself. */
    size_t length = path == NULL ? 0 : strlen(path);
    return (void *)(uintptr_t)host_dl_open(path, length, flags);
}

void *
dlsym(void *restrict handle, const char *restrict name)
{
    /* NULL is also the address of a symbol: dlerror() tells the two apart. */
    void *address = NULL;
    (void)host_dl_sym((uint32_t)(uintptr_t)handle, name, strlen(name), &address);
    return address;
}

int
dlclose(void *handle)
{
    return host_dl_close((uint32_t)(uintptr_t)handle);
}

char *
dlerror(void)
{
    /* The text lives until the next call, as POSIX has it. */
    static char *text;
    static char no_memory[] = "out of memory";
    size_t length = host_dl_error(NULL, 0);
    if (length == 0) {
        return NULL;
    }
    char *grown = realloc(text, length + 1);
    if (grown == NULL) {
        return no_memory;
    }
    text = grown;
    (void)host_dl_error(text, length);
    text[length] = '\0';
    return text;
}
