/* needs: a */
int a_value(void);
int user_value(void) { return 100 * a_value(); }
