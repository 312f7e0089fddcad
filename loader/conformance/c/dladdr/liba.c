#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
int numbers[8] = {1, 2, 3};
int *inside(void) { return &numbers[5]; }
static int hidden_function(void) { return 4; }
int (*taken(void))(void) { return hidden_function; }
int knows_itself(void)
{
    Dl_info info;
    return dladdr((void *)numbers, &info) && strcmp(info.dli_sname, "numbers") == 0;
}
