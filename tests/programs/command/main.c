/* A program of the command line: reads a file beside it, and loads a library by its name, then by its path. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static int
use(const char *name)
{
    void *library = dlopen(name, RTLD_NOW);
    int (*twice)(int) = library ? (int (*)(int))dlsym(library, "twice") : NULL;
    if (twice == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    printf("%s: %d\n", name, twice(21));
    return 0;
}

int
main(int argc, char **argv)
{
    char word[32] = "";
    FILE *file = fopen("word.txt", "r");
    if (file == NULL || fscanf(file, "%31s", word) != 1) {
        perror("word.txt");
        return 1;
    }
    printf("%s, %d arguments\n", word, argc - 1);
    for (int i = 1; i < argc; i++) {
        if (use(argv[i]) != 0) {
            return 3;
        }
    }
}
