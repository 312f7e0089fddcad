static int value;
__attribute__((constructor)) static void enter(void) { value = 50; }
int b_value(void) { return value; }
