static int zeroed[16];
int value(void) { return 7 + zeroed[3]++; }
