/* Does to many paths all that a program can do to a path, and tells how each
 * ended.  This machine and every guest must tell the same.
 *
 * The first argument is an empty directory to work in.  All is done in a
 * directory below it, and nothing is tried on `/` that could succeed and would
 * change it: on this machine, `/` is this machine's.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[1024];
static bool changed = true;

static const char *
error_name(int error)
{
    switch (error) {
#define NAME(error) case error: return #error
    NAME(EACCES); NAME(EBADF); NAME(EBUSY); NAME(EEXIST); NAME(EILSEQ);
    NAME(EINVAL); NAME(EIO); NAME(EISDIR); NAME(ELOOP); NAME(EMLINK);
    NAME(ENAMETOOLONG); NAME(ENOENT); NAME(ENOSPC); NAME(ENOSYS);
    NAME(ENOTDIR); NAME(ENOTEMPTY); NAME(EOPNOTSUPP); NAME(EPERM);
    NAME(ERANGE); NAME(EROFS); NAME(EXDEV);
#ifdef ENOTCAPABLE
    NAME(ENOTCAPABLE);
#endif
#undef NAME
    default: return strerror(error);
    }
}

/* A path that may be very long, as a line can hold it. */
static const char *
shown(const char *path)
{
    static char text[4][100];
    static int next;
    char *out = text[next++ % 4];
    size_t length = strlen(path);
    if (strncmp(path, root, strlen(root)) == 0) {
        snprintf(out, sizeof text[0], "$ROOT%s", path + strlen(root));
    }
    else if (length > 40) {
        snprintf(out, sizeof text[0], "%.16s...[%zu]", path, length);
    }
    else {
        snprintf(out, sizeof text[0], "'%s'", path);
    }
    for (char *byte = out; *byte != '\0'; byte++) {
        if (*byte == '\n') {
            *byte = '~';
        }
    }
    return out;
}

static void
must(bool done, const char *what)
{
    if (!done) {
        printf("the fixture: %s: %s\n", what, error_name(errno));
        exit(1);
    }
}

static void
clear(const char *directory)
{
    DIR *listing = opendir(directory);
    must(listing != NULL, directory);
    struct dirent *entry;
    char names[64][300];
    int count = 0;
    while ((entry = readdir(listing)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0
            && strcmp(entry->d_name, "..") != 0) {
            snprintf(names[count++], sizeof names[0], "%s", entry->d_name);
        }
    }
    closedir(listing);
    for (int i = 0; i < count; i++) {
        char path[2048];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        must(lstat(path, &st) == 0, path);
        if (S_ISDIR(st.st_mode)) {
            must(chmod(path, 0700) == 0, path);
            clear(path);
            must(rmdir(path) == 0, path);
        }
        else {
            must(unlink(path) == 0, path);
        }
    }
}

static void
file(const char *path, const char *content)
{
    FILE *out = fopen(path, "w");
    must(out != NULL && fputs(content, out) >= 0 && fclose(out) == 0, path);
}

static void
fixture(void)
{
    must(chdir(root) == 0, "chdir");
    if (!changed) {
        return;
    }
    changed = false;
    clear(root);
    file("file", "content");
    file("other", "other content");
    must(mkdir("dir", 0755) == 0, "dir");
    must(mkdir("dir/sub", 0755) == 0, "dir/sub");
    file("dir/inner", "inner");
    file("dir/sub/deep", "deep");
    must(mkdir("empty", 0755) == 0, "empty");
    file("odd \n\\name", "odd");
    char target[1100];
    must(symlink("file", "link") == 0, "link");
    must(symlink("dir", "dlink") == 0, "dlink");
    must(symlink("dir/sub", "deeplink") == 0, "deeplink");
    must(symlink("../file", "dir/uplink") == 0, "uplink");
    must(symlink("nowhere", "dangling") == 0, "dangling");
    must(symlink("loop", "loop") == 0, "loop");
    must(symlink("loop2", "loop1") == 0, "loop1");
    must(symlink("loop1", "loop2") == 0, "loop2");
    must(symlink("file/", "slashlink") == 0, "slashlink");
    must(symlink("dir/sub/..", "dotlink") == 0, "dotlink");
    snprintf(target, sizeof target, "%s/dir", root);
    must(symlink(target, "abslink") == 0, "abslink");
    snprintf(target, sizeof target, "%s/nowhere", root);
    must(symlink(target, "absdangling") == 0, "absdangling");
}

/* What there is now, in an order that no directory decides. */
static void
tree(const char *directory, char *out, size_t size)
{
    static const char *names[] = {
        "file", "other", "dir", "dir/sub", "dir/inner", "dir/sub/deep",
        "dir/sub/sub", "empty", "empty/inner", "link", "dlink", "dangling",
        "nowhere", "new", "new/inner", "new/sub", "loop", "abslink",
        "dir/new", "dir/sub/new", "empty/new", "slashlink", "dotlink",
        "deeplink", "absdangling", "loop1",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[2048];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        char kind = '-';
        if (lstat(path, &st) == 0) {
            kind = S_ISDIR(st.st_mode)   ? 'd'
                   : S_ISLNK(st.st_mode) ? 'l'
                   : st.st_size == 0     ? '0'
                                         : 'f';
        }
        size_t length = strlen(out);
        snprintf(out + length, size - length, "%c", kind);
    }
}

static void
report(const char *what, const char *path, bool done, bool changes)
{
    int error = errno;
    if (!done) {
        printf("%s %s: %s\n", what, shown(path), error_name(error));
        return;
    }
    char now[64] = "";
    if (changes) {
        changed = true;
        tree(root, now, sizeof now);
    }
    printf("%s %s: done %s\n", what, shown(path), now);
}

static void
report_open(const char *what, const char *path, int fd, bool changes)
{
    report(what, path, fd >= 0, changes);
    if (fd >= 0) {
        close(fd);
    }
}

static void
report_stat(const char *what, const char *path, int failed, struct stat *st)
{
    if (failed) {
        printf("%s %s: %s\n", what, shown(path), error_name(errno));
    }
    else {
        printf("%s %s: %o\n", what, shown(path), (unsigned)st->st_mode);
    }
}

#define TRY(what, changes, call)                        \
    do {                                                \
        fixture();                                      \
        errno = 0;                                      \
        bool done = (call);                             \
        report(what, path, done, changes);              \
    } while (0)

#define TRY_OPEN(what, changes, call)                   \
    do {                                                \
        fixture();                                      \
        report_open(what, path, (call), changes);       \
    } while (0)

static void
one_path(const char *path)
{
    struct stat st;
    char text[5000];
    fixture();
    report_stat("stat", path, stat(path, &st), &st);
    report_stat("lstat", path, lstat(path, &st), &st);

    TRY_OPEN("open-read", false, open(path, O_RDONLY));
    TRY_OPEN("open-write", false, open(path, O_WRONLY));
    TRY_OPEN("open-nofollow", false, open(path, O_RDONLY | O_NOFOLLOW));
    TRY_OPEN("open-directory", false, open(path, O_RDONLY | O_DIRECTORY));
    TRY_OPEN("open-truncate", true, open(path, O_WRONLY | O_TRUNC));
    TRY_OPEN("open-create", true, open(path, O_RDWR | O_CREAT, 0644));
    TRY_OPEN("open-exclusive", true,
             open(path, O_RDWR | O_CREAT | O_EXCL, 0644));

    fixture();
    FILE *stream = fopen(path, "r");
    report("fopen-r", path, stream != NULL, false);
    if (stream != NULL) {
        fclose(stream);
    }
    fixture();
    DIR *listing = opendir(path);
    report("opendir", path, listing != NULL, false);
    if (listing != NULL) {
        closedir(listing);
    }

    TRY("access-f", false, access(path, F_OK) == 0);
    TRY("access-r", false, access(path, R_OK) == 0);
    TRY("access-w", false, access(path, W_OK) == 0);
    TRY("access-x", false, access(path, X_OK) == 0);
    TRY("readlink", false, readlink(path, text, sizeof text) >= 0);
    TRY("truncate", true, truncate(path, 3) == 0);
    if (strspn(path, "/") != strlen(path) || *path == '\0') {
        const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
        TRY("chmod", true, chmod(path, 0700) == 0);
        TRY("utimens", true, utimensat(AT_FDCWD, path, times, 0) == 0);
        TRY("lutimens", true,
            utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0);
    }

    TRY("mkdir", true, mkdir(path, 0755) == 0);
    TRY("rmdir", true, rmdir(path) == 0);
    TRY("unlink", true, unlink(path) == 0);
    TRY("remove", true, remove(path) == 0);
    TRY("symlink", true, symlink("target", path) == 0);
    TRY("rename-file-to", true, rename("file", path) == 0);
    TRY("rename-dir-to", true, rename("dir", path) == 0);
    TRY("rename-from", true, rename(path, "new") == 0);
    TRY("rename-from-to-dir", true, rename(path, "empty") == 0);
    TRY("rename-from-into", true, rename(path, "dir/sub/new") == 0);
    TRY("link-to", true, link("other", path) == 0);
    TRY("link-from", true, link(path, "new") == 0);
    TRY("link-from-followed", true,
        linkat(AT_FDCWD, path, AT_FDCWD, "new", AT_SYMLINK_FOLLOW) == 0);

    fixture();
    if (chdir(path) == 0) {
        char *here = getcwd(NULL, 0);
        printf("chdir %s: %s\n", shown(path),
               here == NULL                                     ? "nowhere"
               : strncmp(here, root, strlen(root)) == 0 ? here + strlen(root)
                                                        : "outside");
        free(here);
        report_stat("chdir-and-up", path, stat("../file", &st), &st);
    }
    else {
        printf("chdir %s: %s\n", shown(path), error_name(errno));
    }

    fixture();
    int directory = open("dir", O_RDONLY | O_DIRECTORY);
    must(directory >= 0, "dir");
    report_stat("fstatat", path, fstatat(directory, path, &st, 0), &st);
    report_open("openat", path, openat(directory, path, O_RDONLY), false);
    report("faccessat", path, faccessat(directory, path, R_OK, 0) == 0, false);
    report("mkdirat", path, mkdirat(directory, path, 0755) == 0, true);
    close(directory);
    fixture();
    directory = open("dir", O_RDONLY | O_DIRECTORY);
    report("unlinkat", path, unlinkat(directory, path, 0) == 0, true);
    close(directory);
}

static void
modes(void)
{
    static const mode_t masks[] = {0, 022, 077, 0777};
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        struct stat st;
        char path[64];
        changed = true;
        umask(022);
        fixture();
        umask(masks[i]);
        snprintf(path, sizeof path, "umask %o", (unsigned)umask(masks[i]));
        must(close(open("new", O_WRONLY | O_CREAT, 0666)) == 0, "new");
        report_stat("created", path, stat("new", &st), &st);
        must(close(open("tool", O_WRONLY | O_CREAT, 0755)) == 0, "tool");
        report_stat("executable", path, stat("tool", &st), &st);
        must(close(open("file", O_WRONLY | O_CREAT, 0600)) == 0, "file");
        report_stat("there-before", path, stat("file", &st), &st);
        must(mkdir("made", 0777) == 0, "made");
        report_stat("directory", path, stat("made", &st), &st);
        must(chmod("made", 0700) == 0, "made");
        FILE *stream = fopen("stream", "w");
        must(stream != NULL, "stream");
        must(fstat(fileno(stream), &st) == 0, "fstat");
        report_stat("stream", path, 0, &st);
        must(fchmod(fileno(stream), 0640) == 0, "fchmod");
        fclose(stream);
        report_stat("fchmod", path, stat("stream", &st), &st);
        must(symlink("new", "newlink") == 0, "newlink");
        report_stat("symlink", path, lstat("newlink", &st), &st);
        must(chmod("newlink", 0751) == 0, "newlink");
        report_stat("chmod-followed", path, stat("new", &st), &st);
        must(rename("new", "file") == 0, "rename");
        report_stat("renamed", path, stat("file", &st), &st);
        must(chmod("file", 06755) == 0, "setuid");
        report_stat("setuid", path, stat("file", &st), &st);
        must(chmod("dir", 01777) == 0, "sticky");
        report_stat("sticky", path, stat("dir", &st), &st);
    }
    umask(022);
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    umask(022);
    must(chdir(argv[1]) == 0 && mkdir("work", 0755) == 0, argv[1]);
    must(chdir("work") == 0 && getcwd(root, sizeof root) != NULL, "work");
    modes();

    static const char *paths[] = {
        "", ".", "..", "/", "//", "./", ".//.", "file", "./file", ".//file",
        "file/", "file//", "file/.", "file/..", "file/../other", "file/x",
        "dir", "dir/", "dir/.", "dir/..", "dir/../", "dir/../file",
        "dir//inner", "dir/./inner", "dir/inner/", "dir/inner/..", "dir/sub",
        "dir/sub/", "dir/sub/..", "dir/sub/../inner", "dir/sub/../../file",
        "empty", "empty/", "empty/.", "empty/..", "nowhere", "nowhere/",
        "nowhere/.", "nowhere/..", "nowhere/x", "nowhere/../file",
        "nowhere/../nowhere", "dir/nowhere/../inner", "link", "link/",
        "link/.", "link/..", "link/x", "link/../file", "dlink", "dlink/",
        "dlink/.", "dlink/..", "dlink/../file", "dlink/inner", "dlink/sub/..",
        "dlink/sub/../inner", "deeplink/..", "deeplink/../inner",
        "deeplink/../file", "dir/uplink", "dlink/uplink", "dangling",
        "dangling/", "dangling/x", "dangling/..", "loop", "loop/", "loop/x",
        "loop/..", "loop1", "slashlink", "dotlink", "dotlink/", "dotlink/inner",
        "dotlink/../file", "abslink", "abslink/", "abslink/inner",
        "abslink/../file", "abslink/new", "absdangling", "absdangling/",
        "odd \n\\name", "odd \n\\name/", " ", "a:b", "*", "~",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        one_path(paths[i]);
    }

    static char path[6000];
    snprintf(path, sizeof path, "%s/dir/inner", root);
    one_path(path);
    snprintf(path, sizeof path, "%s/nowhere/../file", root);
    one_path(path);
    snprintf(path, sizeof path, "%s//", root);
    one_path(path);
    static const int names[] = {255, 256, 300};
    static const char *before[] = {"", "dir/", "nowhere/", "file/", "../"};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 5; j++) {
            strcpy(path, before[j]);
            size_t start = strlen(path);
            memset(path + start, 'x', names[i]);
            path[start + names[i]] = '\0';
            one_path(path);
        }
    }
    static const int lengths[] = {4094, 4095, 4096, 5000};
    for (int i = 0; i < 4; i++) {
        memset(path, '/', sizeof path);
        memcpy(path, ".", 1);
        strcpy(path + lengths[i] - 4, "file");
        one_path(path);
    }
    changed = true;
    fixture();
    memset(path, 'x', sizeof path);
    for (int i = 0; i < 4; i++) {
        path[lengths[i]] = '\0';
        changed = true;
        fixture();
        report("long-target", path, symlink(path, "new") == 0, true);
        static char text[6000];
        printf("%zd\n", readlink("new", text, sizeof text));
        path[lengths[i]] = 'x';
    }
    clear(root);
    must(rmdir(root) == 0, "work");
    return 0;
}
