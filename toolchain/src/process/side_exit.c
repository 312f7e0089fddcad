/* atexit of a side module: what the module asks for is done when it is closed,
 * at the latest when the process ends.  Each module has its own copy, because
 * only the module itself knows its __dso_handle; with glibc it is the same.
 */

#include <stdint.h>

extern char __dso_handle;

int __cxa_atexit(void (*function)(void *), void *argument, void *module);

static void
call(void *function)
{
    ((void (*)(void))(uintptr_t)function)();
}

__attribute__((visibility("hidden"))) int
atexit(void (*function)(void))
{
    return __cxa_atexit(call, (void *)(uintptr_t)function, &__dso_handle);
}
