int other(int c) { return c; }
