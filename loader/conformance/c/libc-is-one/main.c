/* One libc: errno, the environment, streams and the heap are main's. */
#include "../check.h"
#include <errno.h>

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    errno = 0;
    call(a, "fail");
    printf("errno: %d\n", errno == ENOENT);
    setenv("SET_BY_MAIN", "yes", 1);
    call(a, "environment");
    printf("from a: %s\n", getenv("SET_BY_A"));
    printf("half a line, ");
    call(a, "print");
    char *(*make)(void) = (char *(*)(void))dlsym(a, "make");
    char *text = make();
    printf("%s\n", text);
    free(text);
    FILE **stream = dlsym(a, "stream");
    printf("stdout: %d\n", *stream == stdout);
}
