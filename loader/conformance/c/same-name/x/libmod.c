static int number = 1;
int id(void) { return number; }
