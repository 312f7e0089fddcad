int shift(int c);
int counted;
int upper(int c) { counted++; return shift(c); }
