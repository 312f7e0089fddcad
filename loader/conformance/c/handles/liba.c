static int count;
int value(void) { return ++count; }
