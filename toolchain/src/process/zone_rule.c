/* Rules for the time of a place, as POSIX has them in TZ and files of the
 * database at their end.
 */

#include <ctype.h>
#include <string.h>

#include "timezone.h"

static bool
read_number(const char **text, int least, int most, int *number)
{
    long value = 0;
    const char *at = *text;
    for (; isdigit((unsigned char)*at); at++) {
        value = value * 10 + (*at - '0');
        if (value > most) {
            return false;
        }
    }
    bool is_there = at != *text && value >= least;
    *text = at;
    *number = (int)value;
    return is_there;
}

/* [+-]hh[:mm[:ss]] */
static bool
read_time(const char **text, int most_hours, long *seconds)
{
    int sign = **text == '-' ? -1 : 1;
    if (**text == '-' || **text == '+') {
        ++*text;
    }
    int number;
    if (!read_number(text, 0, most_hours, &number)) {
        return false;
    }
    *seconds = number * 3600L;
    for (long unit = 60; unit > 0 && **text == ':'; unit /= 60) {
        ++*text;
        if (!read_number(text, 0, 59, &number)) {
            return false;
        }
        *seconds += number * unit;
    }
    *seconds *= sign;
    return true;
}

/* Letters, or anything between < and >. */
static bool
read_name(const char **text, char *name)
{
    bool is_quoted = **text == '<';
    const char *start = *text + is_quoted;
    const char *end = start;
    while (is_quoted ? *end != '\0' && *end != '>'
                     : isalpha((unsigned char)*end)) {
        end++;
    }
    size_t length = end - start;
    if (length < 3 || length > ZONE_NAME_LENGTH || (is_quoted && *end != '>')) {
        return false;
    }
    memcpy(name, start, length);
    name[length] = '\0';
    *text = end + is_quoted;
    return true;
}

static bool
read_change(const char **text, struct zone_change *change)
{
    *change = (struct zone_change){.seconds = 2 * 3600};
    bool is_read;
    if (**text == 'M') {
        change->kind = MONTH;
        ++*text;
        is_read = read_number(text, 1, 12, &change->month)
                  && *(*text)++ == '.'
                  && read_number(text, 1, 5, &change->week)
                  && *(*text)++ == '.'
                  && read_number(text, 0, 6, &change->day);
    }
    else if (**text == 'J') {
        change->kind = JULIAN;
        ++*text;
        is_read = read_number(text, 1, 365, &change->day);
    }
    else {
        change->kind = ZERO_BASED;
        is_read = read_number(text, 0, 365, &change->day);
    }
    if (is_read && **text == '/') {
        ++*text;
        is_read = read_time(text, 167, &change->seconds);
    }
    return is_read;
}

bool
__pymode_zone_rule_read(const char *text, struct zone_rule *rule)
{
    long offset;
    *rule = (struct zone_rule){0};
    if (!read_name(&text, rule->names[0]) || !read_time(&text, 24, &offset)) {
        return false;
    }
    /* POSIX counts hours west of Greenwich. */
    rule->standard = (struct zone_type){-offset, false, rule->names[0]};
    if (*text == '\0') {
        return true;
    }
    if (!read_name(&text, rule->names[1])) {
        return false;
    }
    offset -= 3600;
    if (*text != ',' && *text != '\0' && !read_time(&text, 24, &offset)) {
        return false;
    }
    rule->dst = (struct zone_type){-offset, true, rule->names[1]};
    rule->has_dst = true;
    if (*text == '\0') {
        text = ",M3.2.0,M11.1.0";
    }
    return *text++ == ',' && read_change(&text, &rule->begin)
           && *text++ == ',' && read_change(&text, &rule->end)
           && *text == '\0';
}

static bool
is_leap(long long year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970 to the first day of a month, 1 to 12. */
static long long
days_before(long long year, int month)
{
    static const int BEFORE[] = {
        0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334,
    };
    long long last = year - 1;
    long long leaps = (last >= 0 ? last / 4 : (last - 3) / 4)
                      - (last >= 0 ? last / 100 : (last - 99) / 100)
                      + (last >= 0 ? last / 400 : (last - 399) / 400);
    /* 477 leap days came before 1970. */
    return (year - 1970) * 365 + leaps - 477 + BEFORE[month - 1]
           + (month > 2 && is_leap(year));
}

static int
weekday_of(long long day)
{
    /* 1 January 1970 was a Thursday. */
    return (int)(((day + 4) % 7 + 7) % 7);
}

/* The local second, counted from 1970, at which the time changes. */
static long long
moment_of(const struct zone_change *change, long long year)
{
    long long day = days_before(year, 1);
    switch (change->kind) {
    case JULIAN:
        /* 29 February is not counted. */
        day += change->day - 1 + (change->day > 59 && is_leap(year));
        break;
    case ZERO_BASED:
        day += change->day;
        break;
    case MONTH: {
        long long first = days_before(year, change->month);
        long long next = change->month == 12
                         ? days_before(year + 1, 1)
                         : days_before(year, change->month + 1);
        day = first + (change->day - weekday_of(first) + 7) % 7
              + 7LL * (change->week - 1);
        while (day >= next) {
            day -= 7;
        }
        break;
    }
    }
    return day * SECONDS_OF_DAY + change->seconds;
}

const struct zone_type *
__pymode_zone_rule_at(const struct zone_rule *rule, long long utc)
{
    if (!rule->has_dst) {
        return &rule->standard;
    }
    /* Of the year that the standard time is in. */
    long long local = utc + rule->standard.offset;
    long long year = 1970 + local / (365 * SECONDS_OF_DAY + SECONDS_OF_DAY / 4);
    while (days_before(year + 1, 1) * SECONDS_OF_DAY <= local) {
        year++;
    }
    while (days_before(year, 1) * SECONDS_OF_DAY > local) {
        year--;
    }
    long long begin = moment_of(&rule->begin, year) - rule->standard.offset;
    long long end = moment_of(&rule->end, year) - rule->dst.offset;
    bool is_dst = begin < end ? utc >= begin && utc < end
                              : utc >= begin || utc < end;
    return is_dst ? &rule->dst : &rule->standard;
}
