int from_a(void);
int from_b(void);
int sum(void) { return from_a() + from_b(); }
