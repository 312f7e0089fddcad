/* needs: b */
int from_b(void);
int from_a(void) { return 1 + 0 * from_b(); }
