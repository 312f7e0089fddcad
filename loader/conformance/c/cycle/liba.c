/* needs: b */
int odd(int n);
extern int (*pointer)(int);
int even(int n) { return n == 0 ? 1 : odd(n - 1); }
int through_pointer(void) { return pointer(8); }
