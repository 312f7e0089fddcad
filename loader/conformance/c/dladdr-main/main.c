/* dladdr of the program's own data, whether it has a name outside or not. */
#include "../check.h"

int visible = 1;
int zero;
static int hidden = 2;
static char hidden_zero[1000];

static void
tell(const char *what, const void *pointer)
{
    Dl_info info = {0};
    int found = dladdr(pointer, &info);
    const char *file = found ? strrchr(info.dli_fname, '/') : NULL;
    printf("%s: %s\n", what, !found ? "nothing" : strstr(file ? file : info.dli_fname, "main") ? "in main" : "elsewhere");
}

int
main(void)
{
    int local = 3;
    tell("data", &visible);
    tell("zero", &zero);
    tell("hidden data", &hidden);
    tell("hidden zeros", hidden_zero + 500);
    tell("a text", "a text");
    tell("the stack", &local);
    tell("the heap", malloc(100));
    Dl_info info;
    printf("by its name: %d\n", dladdr(&visible, &info) && strcmp(info.dli_sname, "visible") == 0 && info.dli_saddr == &visible);
}
