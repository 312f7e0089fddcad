#include "../check.h"

static int total = 1000;

int a_value(void) { return 7; }
int sum(void) { return total; }

static int
ask(const char *library, const char *name)
{
    void *handle = dlopen(path(library), RTLD_NOW);
    int (*function)(void) = (int (*)(void))dlsym(handle, name);
    return function();
}

__attribute__((constructor)) static void
enter(void)
{
    total += ask("libb.so", "b_value");
    total += ask("liba.so", "a_value");
    total += ask("libuser.so", "user_value");
}
