#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
int in_b(void) { return 2; }
int finds_whoever_needs_it(void) { return dlsym(RTLD_DEFAULT, "in_a") != NULL; }
