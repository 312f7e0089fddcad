/* <dlfcn.h> over the host's pymode.dl_*, for every caller: a program or a
 * side module.  Each module has its own copy, hidden in a side module, because
 * only the module itself can say who asks (RTLD_DEFAULT, RTLD_NEXT).
 *
 * Python does not pass through here: its importer asks the host itself.
 */

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* lld puts it into the module's own data. */
extern char __dso_handle;

#define IMPORT(name) \
    __attribute__((import_module("pymode"), import_name(#name)))

IMPORT(dl_open) uint32_t host_dl_open(const char *path, size_t length, int flags);
IMPORT(dl_sym_from) int host_dl_sym_from(uint32_t handle, const char *name, size_t length,
                                         const void *caller, void **out);
IMPORT(dl_addr) size_t host_dl_addr(const void *pointer, void **base, void **symbol,
                                    char *buffer, size_t capacity);
IMPORT(dl_close) int host_dl_close(uint32_t handle);
IMPORT(dl_error) size_t host_dl_error(char *buffer, size_t capacity);

/* libc keeps the working directory of a WASI program, and the host does not
 * know it.  A path that is to be freed, or NULL: then `path` will do. */
static char *
absolute(const char *path)
{
    if (path[0] == '/' || strchr(path, '/') == NULL) {
        return NULL;
    }
    char *directory = getcwd(NULL, 0);
    if (directory == NULL) {
        return NULL;
    }
    size_t length = strlen(directory);
    char *whole = realloc(directory, length + strlen(path) + 2);
    if (whole == NULL) {
        free(directory);
        return NULL;
    }
    whole[length] = '/';
    strcpy(whole + length + 1, path);
    return whole;
}

void *
dlopen(const char *path, int flags)
{
    if (path == NULL) {
        return (void *)(uintptr_t)host_dl_open(NULL, 0, flags); /* the program itself */
    }
    char *whole = absolute(path);
    const char *asked = whole == NULL ? path : whole;
    void *handle = (void *)(uintptr_t)host_dl_open(asked, strlen(asked), flags);
    free(whole);
    return handle;
}

void *
dlsym(void *restrict handle, const char *restrict name)
{
    /* NULL is also the address of a symbol: dlerror() tells the two apart. */
    void *address = NULL;
    (void)host_dl_sym_from((uint32_t)(uintptr_t)handle, name, strlen(name),
                           &__dso_handle, &address);
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

/* Texts that dladdr() has given out: they stay, and equal ones are one. */
static struct text {
    struct text *next;
    char bytes[];
} *texts;

static const char *
keep(const char *bytes)
{
    for (struct text *text = texts; text != NULL; text = text->next) {
        if (strcmp(text->bytes, bytes) == 0) {
            return text->bytes;
        }
    }
    size_t size = strlen(bytes) + 1;
    struct text *text = malloc(sizeof *text + size);
    if (text == NULL) {
        return NULL;
    }
    memcpy(text->bytes, bytes, size);
    text->next = texts;
    texts = text;
    return text->bytes;
}

int
dladdr(const void *pointer, Dl_info *info)
{
    char few[512];
    char *text = few;
    size_t length = host_dl_addr(pointer, &info->dli_fbase, &info->dli_saddr,
                                 few, sizeof few - 1);
    if (length >= sizeof few) {
        text = malloc(length + 1);
        if (text != NULL) {
            length = host_dl_addr(pointer, &info->dli_fbase, &info->dli_saddr,
                                  text, length);
        }
    }
    if (length == 0 || text == NULL) {
        return 0;
    }
    text[length] = '\0';
    /* Path and, when it is known, the symbol behind the path's NUL. */
    size_t path = strlen(text);
    info->dli_fname = keep(text);
    info->dli_sname = path < length ? keep(text + path + 1) : NULL;
    if (path == length) {
        info->dli_saddr = NULL;
    }
    if (text != few) {
        free(text);
    }
    return info->dli_fname != NULL;
}
