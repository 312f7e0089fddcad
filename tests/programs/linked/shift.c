int shift(int c) { return c - 'a' + 'A'; }
