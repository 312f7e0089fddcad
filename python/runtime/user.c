/* The user that the guest runs as, and the system as uname() has it.
 *
 * WASI has no users.  The guest is user 1000 of its own group: the host gives
 * this owner to the guest's files, and 65534 to others, and sets HOME to the
 * home directory below.
 */

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define USER 1000

static int
fail(int error)
{
    errno = error;
    return -1;
}

uid_t
getuid(void)
{
    return USER;
}

uid_t
geteuid(void)
{
    return USER;
}

gid_t
getgid(void)
{
    return USER;
}

gid_t
getegid(void)
{
    return USER;
}

int
getgroups(int room, gid_t groups[])
{
    if (room < 0) {
        return fail(EINVAL);
    }
    if (room > 0) {
        groups[0] = USER;
    }
    return 1;
}

/* --- The tables of users and groups --- */

static struct passwd users[] = {
    {"root", "x", 0, 0, "root", "/root", ""},
    {"user", "x", USER, USER, "", "/tmp", ""},
    {"nobody", "x", 65534, 65534, "nobody", "/nonexistent", ""},
};

static char *no_members[] = {NULL};

static struct group groups[] = {
    {"root", "x", 0, no_members},
    {"user", "x", USER, no_members},
    {"nogroup", "x", 65534, no_members},
};

#define COUNT (sizeof(users) / sizeof(users[0]))
_Static_assert(COUNT == sizeof(groups) / sizeof(groups[0]),
               "a user without a group");

static size_t next_user;
static size_t next_group;

struct passwd *
getpwuid(uid_t uid)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (users[i].pw_uid == uid) {
            return &users[i];
        }
    }
    return NULL;
}

struct passwd *
getpwnam(const char *name)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(users[i].pw_name, name) == 0) {
            return &users[i];
        }
    }
    return NULL;
}

void
setpwent(void)
{
    next_user = 0;
}

void
endpwent(void)
{
    next_user = 0;
}

struct passwd *
getpwent(void)
{
    return next_user < COUNT ? &users[next_user++] : NULL;
}

struct group *
getgrgid(gid_t gid)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (groups[i].gr_gid == gid) {
            return &groups[i];
        }
    }
    return NULL;
}

struct group *
getgrnam(const char *name)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(groups[i].gr_name, name) == 0) {
            return &groups[i];
        }
    }
    return NULL;
}

void
setgrent(void)
{
    next_group = 0;
}

void
endgrent(void)
{
    next_group = 0;
}

struct group *
getgrent(void)
{
    return next_group < COUNT ? &groups[next_group++] : NULL;
}

char *
getlogin(void)
{
    return getpwuid(USER)->pw_name;
}

int
uname(struct utsname *names)
{
    *names = (struct utsname){
        .sysname = "wasi",
        .nodename = "localhost",
        /* WASI 0.1 is what preview1 is called since there is a 0.2. */
        .release = "0.1",
        .version = "wasi_snapshot_preview1",
        .machine = "wasm32",
    };
    return 0;
}
