/* A library can be opened and closed any number of times: each time it is fresh, and nothing of the last is left. */
#include "../check.h"

int
main(void)
{
    int fresh = 0;
    for (int i = 0; i < 12000; i++) {
        void *a = dlopen(path("liba.so"), RTLD_NOW);
        if (a == NULL) {
            printf("%d: %s\n", i, dlerror());
            return 0;
        }
        int (*value)(void) = (int (*)(void))dlsym(a, "value");
        fresh += value() == 7;
        if (dlclose(a) != 0)
            printf("%d: %s\n", i, dlerror());
    }
    printf("fresh: %d\n", fresh);
}
