/* What a program was linked with is loaded before its own constructors run, as
 * ld.so does.  The host knows what that is: the program says so in a custom
 * section, and the first handle to the program itself loads it.
 */

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* After libc's own constructors, which libraries rely on; before any other. */
__attribute__((constructor(100))) static void
load_what_is_linked(void)
{
    if (dlopen(NULL, RTLD_NOW) != NULL) {
        return;
    }
    static const char start[] = "error while loading shared libraries: ";
    const char *reason = dlerror();
    (void)write(STDERR_FILENO, start, sizeof start - 1);
    if (reason != NULL) {
        (void)write(STDERR_FILENO, reason, strlen(reason));
    }
    (void)write(STDERR_FILENO, "\n", 1);
    _Exit(127); /* ld.so's own */
}
