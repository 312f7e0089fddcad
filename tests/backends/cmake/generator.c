#include <stdio.h>

int main(void) {
    printf("#define GENERATED %d\n", (int)sizeof(void *));
    return 0;
}
