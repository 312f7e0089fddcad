/* What is to be done at exit, by the module that asked for it.
 *
 * libc's own list does not know modules, and its __cxa_finalize does nothing: a
 * module that was closed would leave pointers to its destructors behind.  Here
 * the loader calls __cxa_finalize with the module's __dso_handle, which lld puts
 * at its __memory_base.
 *
 * All that libc defines in the same object is defined here, so that it is not
 * linked.  libc's exit() calls __funcs_on_exit.
 */

#include <stdint.h>
#include <stdlib.h>

struct handler {
    struct handler *older;
    void (*function)(void *);
    void *argument;
    void *module; /* NULL: the program itself */
};

static struct handler *newest;

int
__cxa_atexit(void (*function)(void *), void *argument, void *module)
{
    struct handler *handler = malloc(sizeof *handler);
    if (handler == NULL) {
        return -1;
    }
    *handler = (struct handler){newest, function, argument, module};
    newest = handler;
    return 0;
}

/* Takes the newest handler of a module, or of all, off the list. */
static struct handler *
take(void *module)
{
    for (struct handler **link = &newest; *link != NULL; link = &(*link)->older) {
        struct handler *handler = *link;
        if (module == NULL || handler->module == module) {
            *link = handler->older;
            return handler;
        }
    }
    return NULL;
}

/* Calls the handlers of a module, or of all, newest first.  One that is called
 * may add others, or close another module: each is off the list before, and the
 * search begins anew after. */
void
__cxa_finalize(void *module)
{
    for (struct handler *handler; (handler = take(module)) != NULL;) {
        struct handler called = *handler;
        free(handler);
        called.function(called.argument);
    }
}

void
__funcs_on_exit(void)
{
    __cxa_finalize(NULL);
}

static void
call(void *function)
{
    ((void (*)(void))(uintptr_t)function)();
}

int
atexit(void (*function)(void))
{
    return __cxa_atexit(call, (void *)(uintptr_t)function, NULL);
}
