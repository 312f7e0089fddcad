// The same functions in C++, where the adapters are of another kind.
#include "called.c"
