/* needs: dep */
int dep(void);
int value(void) { return dep(); }
