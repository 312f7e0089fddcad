#include "value.h"
int value(void) { return 1 + next_value(); }
