/* When there is an error to be read, and that it is one of the call that failed last. */
#include "../check.h"

static void
told(const char *what, const char *part)
{
    const char *error = dlerror();
    printf("%s: %s\n", what, !error ? "nothing" : strstr(error, part) ? "told" : error);
}

int
main(void)
{
    told("at first", "");
    dlopen(path("libnone.so"), RTLD_NOW);
    dlopen(path("libother.so"), RTLD_NOW);
    told("the last", "libother.so");
    told("then", "");
    void *a = dlopen(path("liba.so"), RTLD_NOW);
    told("loaded", "");
    dlsym(a, "no_such_thing");
    told("no symbol", "no_such_thing");
    dlsym(a, "");
    told("an empty name", "");
    dlopen(path("libnone.so"), RTLD_NOW);
    printf("copied: %d\n", strlen(dlerror()) > 10);
    told("read", "");
    char name[5000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    dlsym(a, name);
    told("a long name", "xxxxxxxxxxxxxxxxxxxx");
    dlopen(path("liba.so"), RTLD_NOW | RTLD_NOLOAD);
    told("noload", "");
    printf("close: %d %d\n", dlclose(a), dlclose(a));
    told("closed", "");
}
