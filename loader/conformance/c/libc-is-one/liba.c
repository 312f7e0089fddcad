#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

FILE *stream;

__attribute__((constructor)) static void enter(void) { stream = stdout; }

int fail(void) { return fopen("/no/such/file", "r") == NULL && errno == ENOENT; }
int environment(void)
{
    setenv("SET_BY_A", "too", 1);
    const char *value = getenv("SET_BY_MAIN");
    return value != NULL && strcmp(value, "yes") == 0;
}
int print(void) { return printf("the other half\n"); }
char *make(void) { return strdup("made by a"); }
