/* needs: d */
#include "value.h"
int value(void) { return 100 + next_value(); }
