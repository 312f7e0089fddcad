int in_cc(void) { return 3; }
