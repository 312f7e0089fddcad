/* Files of the time zone database.
 *
 * Numbers in a file are checked before they are used: TZ may name any file.
 */

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "timezone.h"

/* No file of the database has half of it. */
#define MAX_FILE (1 << 18)

static uint32_t
read_u32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16
           | (uint32_t)at[2] << 8 | at[3];
}

static long long
transition(const struct zone_file *file, uint32_t index)
{
    const unsigned char *at = file->times + 8 * (size_t)index;
    return (long long)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

static struct zone_type
file_type(const struct zone_file *file, uint32_t index)
{
    const unsigned char *at = file->types + 6 * (size_t)index;
    return (struct zone_type){
        .offset = (int32_t)read_u32(at),
        .is_dst = at[4] != 0,
        .name = file->names + at[5],
    };
}

#define HEAD 44

/* How long the data is that follows a head. */
static size_t
data_length(const unsigned char *head, size_t time_size)
{
    size_t utc = read_u32(head + 20), standard = read_u32(head + 24);
    size_t leaps = read_u32(head + 28), times = read_u32(head + 32);
    size_t types = read_u32(head + 36), names = read_u32(head + 40);
    size_t limit = MAX_FILE;
    if (utc > limit || standard > limit || leaps > limit || times > limit
        || types > limit || names > limit) {
        return SIZE_MAX;
    }
    return times * (time_size + 1) + types * 6 + names
           + leaps * (time_size + 4) + standard + utc;
}

static bool
is_head(const unsigned char *bytes, size_t length)
{
    return length >= HEAD && memcmp(bytes, "TZif", 4) == 0;
}

/* Takes a file apart; on success it owns `bytes`. */
static bool
parse(unsigned char *bytes, size_t length, struct zone_file *file)
{
    if (!is_head(bytes, length) || bytes[4] < '2') {
        return false;
    }
    size_t skipped = data_length(bytes, 4);
    if (skipped > length - HEAD) {
        return false;
    }
    const unsigned char *head = bytes + HEAD + skipped;
    length -= HEAD + skipped;
    if (!is_head(head, length)) {
        return false;
    }
    size_t data = data_length(head, 8);
    if (data > length - HEAD) {
        return false;
    }
    *file = (struct zone_file){
        .bytes = bytes,
        .time_count = read_u32(head + 32),
        .type_count = read_u32(head + 36),
        .name_length = read_u32(head + 40),
    };
    file->times = head + HEAD;
    file->indices = file->times + 8 * (size_t)file->time_count;
    file->types = file->indices + file->time_count;
    file->names = (const char *)file->types + 6 * (size_t)file->type_count;
    if (file->type_count == 0 || file->name_length == 0
        || file->names[file->name_length - 1] != '\0') {
        return false;
    }
    for (uint32_t i = 0; i < file->time_count; i++) {
        if (file->indices[i] >= file->type_count) {
            return false;
        }
    }
    for (uint32_t i = 0; i < file->type_count; i++) {
        if (file->types[6 * (size_t)i + 5] >= file->name_length) {
            return false;
        }
    }
    /* Between two line ends stands the rule for all that comes later. */
    char text[64];
    const unsigned char *foot = head + HEAD + data;
    size_t room = length - HEAD - data;
    const unsigned char *end = room > 1 ? memchr(foot + 1, '\n', room - 1)
                                        : NULL;
    if (end != NULL && (size_t)(end - foot) <= sizeof(text)) {
        memcpy(text, foot + 1, end - foot - 1);
        text[end - foot - 1] = '\0';
        file->has_rule = __pymode_zone_rule_read(text, &file->rule);
    }
    return true;
}

static unsigned char *
read_whole(const char *path, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    struct stat stat;
    unsigned char *bytes = NULL;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size > 0
        && stat.st_size <= MAX_FILE) {
        bytes = malloc(stat.st_size);
    }
    *length = 0;
    ssize_t count = 1;
    while (bytes != NULL && *length < (size_t)stat.st_size && count > 0) {
        count = read(fd, bytes + *length, stat.st_size - *length);
        *length += count > 0 ? count : 0;
    }
    (void)close(fd);
    return bytes;
}

bool
__pymode_zone_file_read(const char *name, struct zone_file *file)
{
    static const char DIRECTORY[] = "/usr/share/zoneinfo/";
    char path[PATH_MAX];
    size_t length = strlen(name);
    size_t before = name[0] == '/' ? 0 : sizeof(DIRECTORY) - 1;
    if (before + length >= sizeof(path) || strstr(name, "..") != NULL) {
        return false;
    }
    memcpy(path, DIRECTORY, before);
    memcpy(path + before, name, length + 1);
    size_t size;
    unsigned char *bytes = read_whole(path, &size);
    if (bytes == NULL) {
        return false;
    }
    if (!parse(bytes, size, file)) {
        free(bytes);
        return false;
    }
    return true;
}

struct zone_type
__pymode_zone_file_at(const struct zone_file *file, long long utc)
{
    uint32_t last = file->time_count - 1;
    if (file->has_rule
        && (file->time_count == 0 || utc >= transition(file, last))) {
        return *__pymode_zone_rule_at(&file->rule, utc);
    }
    if (file->time_count == 0 || utc < transition(file, 0)) {
        /* Before the first change the first type holds. */
        return file_type(file, 0);
    }
    uint32_t low = 0, high = file->time_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (transition(file, middle) <= utc) {
            low = middle;
        }
        else {
            high = middle;
        }
    }
    return file_type(file, file->indices[low]);
}
