#include "stddef.h"
extern int shared_counter;
int cell = 3;
int twice(int x);
__attribute__((weak)) int own(int x);
int (*get_twice_too(void))(int) { return twice; }
int (*get_own_of_a(void))(int) { return own; }
int bump_too(void) { return shared_counter += 10; }
int read_cell(void) { return cell; }
