#include "value.h"
int value(void) { return 10 + next_value(); }
