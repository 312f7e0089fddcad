/* Time zones: what the parts of timezone.c know of each other. */

#ifndef PYMODE_TIMEZONE_H
#define PYMODE_TIMEZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest name of a zone; POSIX wants room for 6. */
#define ZONE_NAME_LENGTH 15

#define SECONDS_OF_DAY 86400LL

/* An offset from UTC and what it is called. */
struct zone_type {
    long offset;
    bool is_dst;
    const char *name;
};

/* When in a year a rule changes the time. */
struct zone_change {
    enum { JULIAN, ZERO_BASED, MONTH } kind;
    int month;
    int week;
    int day;
    long seconds;
};

/* EST5EDT,M3.2.0,M11.1.0 */
struct zone_rule {
    char names[2][ZONE_NAME_LENGTH + 1];
    struct zone_type standard;
    struct zone_type dst;
    bool has_dst;
    struct zone_change begin;
    struct zone_change end;
};

/* A compiled file (RFC 9636); what is used of it, whose times have 8 bytes. */
struct zone_file {
    unsigned char *bytes;
    const unsigned char *times;
    const unsigned char *indices;
    const unsigned char *types;
    const char *names;
    uint32_t time_count;
    uint32_t type_count;
    uint32_t name_length;
    bool has_rule;
    /* For all that comes after the last time. */
    struct zone_rule rule;
};

/* Reads a rule as TZ has it: zone_rule.c. */
bool __pymode_zone_rule_read(const char *text, struct zone_rule *rule);
const struct zone_type *__pymode_zone_rule_at(const struct zone_rule *rule,
                                              long long utc);

/* Reads a file of the database, or one with an absolute path: zone_file.c. */
bool __pymode_zone_file_read(const char *name, struct zone_file *file);
struct zone_type __pymode_zone_file_at(const struct zone_file *file,
                                       long long utc);

#endif
