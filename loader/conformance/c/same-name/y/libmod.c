static int number = 2;
int id(void) { return number; }
