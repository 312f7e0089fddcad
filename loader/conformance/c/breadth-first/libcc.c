int in_c_and_d(void) { return 3; }
int only_c(void) { return 1000; }
