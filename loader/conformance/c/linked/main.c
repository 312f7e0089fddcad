/* needs: a b */
/* A program that is linked with libraries: their functions and data are its own, and it is theirs. */
#include "../check.h"

extern int counter, table[4];
extern int *to_counter;
extern const char *name;
extern struct pair { char c; double d; } pair;
int next(void);
int call_main(int);
int (*address_of_next(void))(void);
int (*address_of_twice(void))(int);
int from_b(void);
__attribute__((weak)) int absent(void);

/* The libraries use these. */
int offset = 100;
int twice(int x) { return 2 * x + offset; }

/* Addresses of a library's symbols, in the program's own data. */
static int *at_counter = &counter;
static int (*const at_next)(void) = next;

static int constructed;
__attribute__((constructor)) static void construct(void) { constructed = counter; }

int
main(void)
{
    printf("before main: %d\n", constructed);
    printf("data: %d %d %s %c %g\n", counter, table[3], name, pair.c, pair.d);
    printf("it is one: %d %d\n", to_counter == &counter, at_counter == &counter);
    printf("called: %d\n", next());
    printf("by its address: %d\n", at_next());
    printf("and counted: %d %d\n", counter, *to_counter);
    counter = 50;
    printf("the library sees it: %d\n", next());
    printf("back and forth: %d\n", call_main(4));
    printf("one function, one address: %d %d\n", address_of_next() == next, at_next == next);
    printf("of main, too: %d\n", address_of_twice() == twice);
    printf("through another library: %d\n", from_b());
    printf("weak and absent: %d\n", absent == NULL);
}
