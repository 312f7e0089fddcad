int value(int x) { return x + 1; }
