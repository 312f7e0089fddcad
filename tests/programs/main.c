/* Opens each module that it is given, calls its `test`, and lends them a few
 * frames of its own.  A module that defines `close_me` is closed and opened
 * again. */

#include <dlfcn.h>
#include <setjmp.h>
#include <stdio.h>

/* A frame of C between the module and itself. */
int
main_calls(int (*function)(int), int argument)
{
    int result = function(argument);
    printf("main: the call gave %d\n", result);
    return result;
}

static jmp_buf here;

int
main_catches(void (*function)(int), int argument)
{
    int value = setjmp(here);
    if (value == 0) {
        function(argument);
    }
    return value;
}

void
main_jumps(int value)
{
    longjmp(here, value);
}

/* Opens a module and calls its `test`; how many of its checks failed. */
static int
test(const char *path, void **module)
{
    *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    int (*test)(void) = *module ? (int (*)(void))dlsym(*module, "test") : NULL;
    if (test == NULL) {
        printf("main: %s\n", dlerror());
        return 1;
    }
    int failed = test();
    printf("main: tested\n");
    return failed;
}

int
main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        void *module;
        failed += test(argv[i], &module);
        for (int times = 0; module && dlsym(module, "close_me") && times < 2; times++) {
            failed += dlclose(module) != 0;
            printf("main: closed\n");
            failed += test(argv[i], &module);
        }
    }
    return failed != 0;
}
