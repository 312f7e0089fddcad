/* needs: b,c */
int from_comma(void);
int value(void) { return from_comma(); }
