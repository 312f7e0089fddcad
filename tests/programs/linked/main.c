#include <stdio.h>

int upper(int c);
extern int counted;

int
main(void)
{
    printf("%c", upper('a'));
    printf("%c, %d\n", upper('b'), counted);
}
