/* dladdr names the library of a pointer, and the symbol; dlsym's pointers lead back to their names. */
#include "../check.h"

int main_datum = 5;
int main_function(void) { return 6; }

static void
tell(const char *what, void *pointer)
{
    Dl_info info = {0};
    if (!dladdr(pointer, &info)) {
        printf("%s: nothing\n", what);
        return;
    }
    const char *file = strrchr(info.dli_fname, '/');
    printf("%s: %s in %s, itself %d\n", what, info.dli_sname ? info.dli_sname : "no symbol",
           file ? file + 1 : info.dli_fname, info.dli_saddr == pointer);
}

int
main(void)
{
    tell("the function of main", (void *)main_function);
    void *a = load("liba.so", RTLD_NOW);
    tell("a function", dlsym(a, "inside"));
    tell("data", dlsym(a, "numbers"));
    tell("inside of data", ((void *(*)(void))dlsym(a, "inside"))());
    tell("the data of main", &main_datum);
    tell("nowhere", (void *)-16);
    call(a, "knows_itself");

    /* The library's name stays although the library goes. */
    Dl_info info;
    void *numbers = dlsym(a, "numbers");
    printf("known: %d\n", dladdr(numbers, &info) != 0);
    printf("base below: %d\n", (char *)info.dli_fbase <= (char *)numbers);
    dlclose(a);
    printf("known when closed: %d\n", dladdr(numbers, &info) != 0);
}
