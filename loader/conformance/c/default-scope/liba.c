/* needs: b */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
int in_a(void) { return 1; }
int finds_own(void) { return dlsym(RTLD_DEFAULT, "in_a") == (void *)in_a; }
int finds_needed(void) { return dlsym(RTLD_DEFAULT, "in_b") != NULL; }
int finds_main(void) { return dlsym(RTLD_DEFAULT, "in_main") != NULL; }
int finds_other(void) { return dlsym(RTLD_DEFAULT, "in_cc") != NULL; }
