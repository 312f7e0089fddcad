/* needs: d */
int only_d(void);
int only_b(void) { return 10 * only_d(); }
