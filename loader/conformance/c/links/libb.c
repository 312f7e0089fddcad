int count(void) { static int counted; return ++counted; }
