int in_c_and_d(void) { return 4; }
int only_d(void) { return 5; }
