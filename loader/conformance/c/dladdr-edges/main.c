/* dladdr of what is in no library, at the edges of data, of functions that have no name outside; without a place for the answer. */
#include "../check.h"

static void
tell(const char *what, void *pointer)
{
    Dl_info info = {0};
    int found = dladdr(pointer, &info);
    const char *file = found ? strrchr(info.dli_fname, '/') : NULL;
    printf("%s: %s\n", what, !found ? "nothing" : strstr(file ? file : info.dli_fname, "liba.so") ? "in the library" : "elsewhere");
}

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    tell("null", NULL);
    char *first = dlsym(a, "first");
    tell("its first byte", first);
    tell("its last byte", first + 3);
    tell("hidden data", ((char *(*)(void))dlsym(a, "where"))());
    tell("a hidden function", ((void *(*)(void))dlsym(a, "function"))());
    char *heap = malloc(10);
    tell("the heap", heap);
    Dl_info info;
    printf("hidden data has a name: %d\n", dladdr(((char *(*)(void))dlsym(a, "where"))(), &info) && info.dli_sname != NULL && strcmp(info.dli_sname, "hidden") == 0);
    dlclose(a);
    tell("closed", first);
}
