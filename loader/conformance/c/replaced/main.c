/* Copies: a second file is a second library, a link is the same one; a file that was replaced while nobody had it open is read anew. */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "../check.h"

static void
copy(const char *from, const char *to)
{
    FILE *in = fopen(path(from), "rb");
    FILE *out = fopen(to, "wb");
    char buffer[4096];
    for (size_t n; in && out && (n = fread(buffer, 1, sizeof buffer, in)) > 0;)
        fwrite(buffer, 1, n, out);
    if (in)
        fclose(in);
    fclose(out);
}

static void *
open_at(const char *name)
{
    void *handle = dlopen(name, RTLD_NOW);
    printf("%s\n", handle ? "loaded" : dlerror());
    return handle;
}

int
main(void)
{
    char folder[64];
    snprintf(folder, sizeof folder, "/tmp/replaced-%ld", (long)time(NULL));
    mkdir(folder, 0777);
    char x[80], y[80];
    snprintf(x, sizeof x, "%s/x.so", folder);
    snprintf(y, sizeof y, "%s/y.so", folder);
    copy("libone.so", x);
    copy("libone.so", y);
    void *one = open_at(x);
    void *other = open_at(y);
    printf("two files are two libraries: %d\n", one != other);
    call(one, "value");
    dlclose(one);
    dlclose(other);
    remove(x);
    copy("libtwo.so", x);
    one = open_at(x);
    call(one, "value");
    dlclose(one);
    remove(x);
    remove(y);
    rmdir(folder);
}
