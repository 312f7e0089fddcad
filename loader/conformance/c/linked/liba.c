int counter = 7;
int table[4] = {1, 2, 3, 4};
int *to_counter = &counter;
const char *name = "a";
struct pair { char c; double d; } pair = {'p', 2.5};

extern int offset;
int twice(int);

__attribute__((constructor)) static void construct(void) { counter += offset; }

int next(void) { return ++counter; }
int call_main(int x) { return twice(x) + offset; }
int (*address_of_next(void))(void) { return next; }
int (*address_of_twice(void))(int) { return twice; }
