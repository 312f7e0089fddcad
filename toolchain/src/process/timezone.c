/* Local time by TZ: a file below /usr/share/zoneinfo, or a rule.
 *
 * libc's own knows UTC only.  localtime, mktime and strftime ask it through
 * __secs_to_zone and __tm_to_tzname; both are here, and this object is linked
 * before libc.  Without TZ, or with one that names nothing, the time is UTC.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "timezone.h"

static struct {
    /* The value of TZ that the rest belongs to; NULL before the first use. */
    char *value;
    struct zone_file file;
    struct zone_rule rule;
    bool has_rule;
} zone;

const char __utc[] = "UTC";

static const struct zone_type UTC = {0, false, __utc};

char *tzname[2] = {(char *)__utc, (char *)__utc};
long timezone = 0;
int daylight = 0;

static struct zone_type
type_at(long long utc)
{
    if (zone.file.bytes != NULL) {
        return __pymode_zone_file_at(&zone.file, utc);
    }
    return zone.has_rule ? *__pymode_zone_rule_at(&zone.rule, utc) : UTC;
}

/* The name as text that stays: a `struct tm` may outlive the zone. */
static const char *
lasting(const char *name)
{
    struct name {
        struct name *next;
        char text[];
    };
    static struct name *names;
    for (struct name *known = names; known != NULL; known = known->next) {
        if (strcmp(known->text, name) == 0) {
            return known->text;
        }
    }
    size_t size = strlen(name) + 1;
    struct name *new = malloc(sizeof(*new) + size);
    if (new == NULL) {
        return __utc;
    }
    memcpy(new->text, name, size);
    new->next = names;
    names = new;
    return new->text;
}

static void
name_types(void)
{
    struct zone_type found[2] = {type_at(0), type_at(0)};
    time_t now = time(NULL);
    /* Of the last year: the names that are in use. */
    for (int month = 12; month >= 0; month--) {
        struct zone_type type = type_at((long long)now - month * 30 * SECONDS_OF_DAY);
        found[type.is_dst] = type;
        if (!type.is_dst && !found[1].is_dst) {
            found[1] = type;
        }
    }
    for (int i = 0; i < 2; i++) {
        tzname[i] = (char *)lasting(found[i].name);
    }
    timezone = -found[0].offset;
    daylight = found[1].is_dst;
}

static void
use(const char *value)
{
    free(zone.value);
    free(zone.file.bytes);
    zone.file = (struct zone_file){0};
    zone.has_rule = false;
    /* Without memory it is read again next time. */
    zone.value = strdup(value);
    if (*value == ':') {
        value++;
    }
    if (*value != '\0' && !__pymode_zone_file_read(value, &zone.file)) {
        zone.has_rule = __pymode_zone_rule_read(value, &zone.rule);
    }
    name_types();
}

void
tzset(void)
{
    const char *value = getenv("TZ");
    if (value == NULL) {
        value = "";
    }
    if (zone.value == NULL || strcmp(zone.value, value) != 0) {
        use(value);
    }
}

/* The type of a local time: of two that it may have, the earlier; in a gap,
   the one before it. */
static struct zone_type
type_of_local(long long local)
{
    struct zone_type before = type_at(local - SECONDS_OF_DAY);
    struct zone_type after = type_at(local + SECONDS_OF_DAY);
    if (type_at(local - before.offset).offset == before.offset) {
        return before;
    }
    return type_at(local - after.offset).offset == after.offset ? after
                                                                : before;
}

/* Offset of the other half of the year. */
static long
opposite(long long utc, struct zone_type type)
{
    for (int month = 1; month <= 12; month++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            struct zone_type there = type_at(utc + sign * month * 30 * SECONDS_OF_DAY);
            if (there.is_dst != type.is_dst) {
                return there.offset;
            }
        }
    }
    return type.offset;
}

/* libc's localtime and mktime call it: `local` says whether the seconds are
   of local time. */
void
__secs_to_zone(long long seconds, int local, int *is_dst, int *offset,
               long *opposite_offset, const char **name)
{
    tzset();
    struct zone_type type = local ? type_of_local(seconds) : type_at(seconds);
    *is_dst = type.is_dst;
    *offset = (int)type.offset;
    if (opposite_offset != NULL) {
        *opposite_offset = opposite(local ? seconds - type.offset : seconds,
                                    type);
    }
    *name = lasting(type.name);
}

const char *
__tm_to_tzname(const struct tm *time)
{
    return time->__tm_zone != NULL ? time->__tm_zone : "";
}
