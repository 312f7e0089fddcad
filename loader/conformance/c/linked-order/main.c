/* needs: a b */
/* Libraries are constructed before the program, those first that others need; the first that defines a symbol has it. */
#include "../check.h"

const char *who(void);
const char *ask_b(void);
extern int both;
int *both_of_b(void);

__attribute__((constructor(101))) static void early(void) { printf("main, early\n"); }
__attribute__((constructor)) static void late(void) { printf("main\n"); }

int
main(void)
{
    printf("%s %s\n", who(), ask_b());
    printf("%d %d\n", both, both_of_b() == &both);
}
