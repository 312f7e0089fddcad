/* needs: b */
#include <string.h>

extern int shared_counter, cell;
int twice(int x);
int own(int x) { return x + 100; }
int (*get_twice(void))(int) { return twice; }
int (*get_own(void))(int) { return own; }
int bump(void) { return ++shared_counter; }
int *pointer_into_b = &cell;
size_t (*address_of_strlen)(const char *) = strlen;
