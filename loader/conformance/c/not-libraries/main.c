/* What is no library is refused, and leaves nothing behind. */
#include <time.h>
#include "../check.h"

static void
with(const char *what, const char *bytes, size_t length)
{
    char name[64];
    snprintf(name, sizeof name, "/tmp/not-a-library-%ld.so", (long)time(NULL));
    FILE *file = fopen(name, "wb");
    fwrite(bytes, 1, length, file);
    fclose(file);
    dlerror();
    void *handle = dlopen(name, RTLD_NOW);
    const char *error = dlerror();
    printf("%s: %s\n", what, handle ? "loaded" : error && strstr(error, name) ? "refused by name" : "refused");
    remove(name);
}

int
main(void)
{
    with("nothing", "", 0);
    with("text", "hello, world\n", 13);
    with("a script", "#!/bin/sh\n", 10);
    with("half a magic number", "\0as", 3);
    with("the other's", "\177ELF\2\1\1", 7);
    with("wasm and no more", "\0asm\1\0\0\0", 8);
    load("liba.so", RTLD_NOW);
}
