int from_b(void) { return 20; }
