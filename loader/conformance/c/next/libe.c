#include "value.h"
int value(void) { return 5 + next_value(); }
