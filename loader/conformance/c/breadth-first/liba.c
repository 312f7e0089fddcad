/* needs: b cc */
int only_b(void), only_c(void);
int only_a(void) { return 1 + only_b() + only_c(); }
