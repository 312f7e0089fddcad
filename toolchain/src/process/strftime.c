/* strftime and wcsftime with the conversions and flags of glibc.
 *
 * libc's own know neither %k, %l and %P nor the flags ^ and #, and end the
 * whole text at the first conversion that they do not know.  Programs are
 * written against glibc: an unknown conversion stays in the text as it is.
 * The locale is always C's.
 */

#include <ctype.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

/* A text of char or of wchar_t, whichever pointer is set. */
struct text {
    const char *narrow;
    const wchar_t *wide;
};

static wint_t
at(struct text text, size_t index)
{
    return text.narrow != NULL ? (unsigned char)text.narrow[index]
                               : (wint_t)text.wide[index];
}

/* The buffer of the caller.  `used` counts what would be in it without the
   limit. */
struct output {
    char *narrow;
    wchar_t *wide;
    size_t room;
    size_t used;
};

static void
put(struct output *out, wint_t character)
{
    if (out->used < out->room) {
        if (out->narrow != NULL) {
            out->narrow[out->used] = (char)character;
        }
        if (out->wide != NULL) {
            out->wide[out->used] = (wchar_t)character;
        }
    }
    out->used++;
}

static void
fill(struct output *out, wint_t character, size_t count)
{
    /* A width may have ten digits: no more than the room is of interest. */
    for (; count > 0 && out->used <= out->room; count--) {
        put(out, character);
    }
}

/* What stands between the percent sign and the letter. */
struct conversion {
    /* 0, or one of - _ 0 */
    int pad;
    bool uppercase;
    bool change_case;
    /* 0 when there is none. */
    size_t width;
    /* 0, E or O */
    int modifier;
};

/* Fills up to the width what has `length` characters and is no number. */
static void
pad_left(struct output *out, const struct conversion *how, size_t length)
{
    if (how->width > length) {
        fill(out, how->pad == '0' ? '0' : ' ', how->width - length);
    }
}

enum letters { AS_IS, UPPER, LOWER };

static void
put_text(struct output *out, const struct conversion *how, const char *text,
         enum letters letters)
{
    size_t length = strlen(text);
    pad_left(out, how, length);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        put(out, letters == UPPER ? toupper(c)
                 : letters == LOWER ? tolower(c) : c);
    }
}

/* `pad` is what the conversion is padded with unless a flag says otherwise. */
static void
put_number(struct output *out, const struct conversion *how, size_t digits,
           int pad, bool negative, unsigned long long number)
{
    char text[32];
    size_t length = 0;
    do {
        text[length++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);

    if (how->pad != 0) {
        pad = how->pad;
    }
    /* A width counts the sign, the digits of the conversion do not. */
    size_t whole = length + negative;
    size_t wanted = pad == '-' ? whole : digits + negative;
    if (how->width > wanted) {
        wanted = how->width;
    }
    size_t padding = wanted > whole ? wanted - whole : 0;
    if (pad != '0') {
        fill(out, ' ', padding);
    }
    if (negative) {
        put(out, '-');
    }
    if (pad == '0') {
        fill(out, '0', padding);
    }
    while (length > 0) {
        put(out, text[--length]);
    }
}

static void
put_signed(struct output *out, const struct conversion *how, size_t digits,
           int pad, long long number)
{
    unsigned long long magnitude =
        number < 0 ? 0ULL - number : 0ULL + number;
    put_number(out, how, digits, pad, number < 0, magnitude);
}

static long long
floor_divide(long long number, long long by)
{
    return number / by - (number % by < 0);
}

static bool
is_leap(long long year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The year of the ISO week, and its number: week 1 has the first Thursday. */
static int
iso_week(const struct tm *time, long long *year)
{
    *year = time->tm_year + 1900LL;
    int weekday = (time->tm_wday + 6) % 7;
    int week = (time->tm_yday - weekday + 10) / 7;
    if (week < 1) {
        --*year;
        int last_day = time->tm_yday + 365 + is_leap(*year);
        week = (last_day - weekday + 10) / 7;
    }
    else if (week == 53
             && time->tm_yday - weekday + 3 >= 365 + is_leap(*year)) {
        ++*year;
        week = 1;
    }
    return week;
}

static const char *
name(const char *const *names, int count, int number)
{
    return number >= 0 && number < count ? names[number] : "?";
}

static const char *const DAYS[] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday",
};
static const char *const SHORT_DAYS[] = {
    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
};
static const char *const MONTHS[] = {
    "January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December",
};
static const char *const SHORT_MONTHS[] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
    "Nov", "Dec",
};

static void expand(struct output *out, struct text format,
                   const struct tm *time, bool uppercase);

/* A conversion that stands for a format. */
static void
put_format(struct output *out, const struct conversion *how,
           const char *format, const struct tm *time)
{
    struct output counted = {.room = SIZE_MAX};
    expand(&counted, (struct text){.narrow = format}, time, how->uppercase);
    pad_left(out, how, counted.used);
    expand(out, (struct text){.narrow = format}, time, how->uppercase);
}

static void
put_offset(struct output *out, const struct conversion *how,
           const struct tm *time)
{
    if (time->tm_isdst < 0) {
        return;
    }
    long minutes = time->__tm_gmtoff / 60;
    if (minutes < 0) {
        minutes = -minutes;
    }
    put_text(out, how, time->__tm_gmtoff < 0 ? "-" : "+", AS_IS);
    put_signed(out, how, 4, '0', minutes / 60 * 100 + minutes % 60);
}

static long long
seconds_of(const struct tm *time)
{
    struct tm copy = *time;
    return mktime(&copy);
}

/* Whether a letter may have the modifier.  C's locale has no other digits and
   no eras, so it changes nothing. */
static bool
takes(int modifier, wint_t letter)
{
    const char *excluded = modifier == 'E' ? "aAbBdDeFgGhHIjklmMSUVwW"
                           : modifier == 'O' ? "aAcDFxXY" : "";
    return letter < 0x80 && strchr(excluded, (int)letter) == NULL;
}

/* Expands one conversion; false when the letter is none. */
static bool
convert(struct output *out, const struct conversion *how, wint_t letter,
        const struct tm *time)
{
    enum letters upper = how->uppercase ? UPPER : AS_IS;
    enum letters changed = how->change_case ? UPPER : upper;
    int hour12 = time->tm_hour > 12 ? time->tm_hour - 12
                 : time->tm_hour == 0 ? 12 : time->tm_hour;
    const char *half = time->tm_hour > 11 ? "PM" : "AM";
    long long year = time->tm_year + 1900LL;

    if (!takes(how->modifier, letter)) {
        return false;
    }
    switch (letter) {
    case '%':
        put_text(out, how, "%", AS_IS);
        return true;
    case 'a':
        put_text(out, how, name(SHORT_DAYS, 7, time->tm_wday), changed);
        return true;
    case 'A':
        put_text(out, how, name(DAYS, 7, time->tm_wday), changed);
        return true;
    case 'b':
    case 'h':
        put_text(out, how, name(SHORT_MONTHS, 12, time->tm_mon), changed);
        return true;
    case 'B':
        put_text(out, how, name(MONTHS, 12, time->tm_mon), changed);
        return true;
    case 'c':
        put_format(out, how, "%a %b %e %H:%M:%S %Y", time);
        return true;
    case 'C':
        put_signed(out, how, 1, '0', floor_divide(year, 100));
        return true;
    case 'd':
        put_signed(out, how, 2, '0', time->tm_mday);
        return true;
    case 'D':
    case 'x':
        put_format(out, how, "%m/%d/%y", time);
        return true;
    case 'e':
        put_signed(out, how, 2, '_', time->tm_mday);
        return true;
    case 'F':
        put_format(out, how, "%Y-%m-%d", time);
        return true;
    case 'g':
    case 'G':
    case 'V': {
        int week = iso_week(time, &year);
        if (letter == 'V') {
            put_signed(out, how, 2, '0', week);
        }
        else if (letter == 'G') {
            put_signed(out, how, 1, '0', year);
        }
        else {
            put_signed(out, how, 2, '0', (year % 100 + 100) % 100);
        }
        return true;
    }
    case 'H':
        put_signed(out, how, 2, '0', time->tm_hour);
        return true;
    case 'I':
        put_signed(out, how, 2, '0', hour12);
        return true;
    case 'j':
        put_signed(out, how, 3, '0', time->tm_yday + 1LL);
        return true;
    case 'k':
        put_signed(out, how, 2, '_', time->tm_hour);
        return true;
    case 'l':
        put_signed(out, how, 2, '_', hour12);
        return true;
    case 'm':
        put_signed(out, how, 2, '0', time->tm_mon + 1LL);
        return true;
    case 'M':
        put_signed(out, how, 2, '0', time->tm_min);
        return true;
    case 'n':
        put_text(out, how, "\n", AS_IS);
        return true;
    case 'p':
        put_text(out, how, half, how->change_case ? LOWER : upper);
        return true;
    case 'P':
        put_text(out, how, half, LOWER);
        return true;
    case 'r':
        put_format(out, how, "%I:%M:%S %p", time);
        return true;
    case 'R':
        put_format(out, how, "%H:%M", time);
        return true;
    case 's': {
        char seconds[24];
        (void)snprintf(seconds, sizeof(seconds), "%lld", seconds_of(time));
        put_text(out, how, seconds, AS_IS);
        return true;
    }
    case 'S':
        put_signed(out, how, 2, '0', time->tm_sec);
        return true;
    case 't':
        put_text(out, how, "\t", AS_IS);
        return true;
    case 'T':
    case 'X':
        put_format(out, how, "%H:%M:%S", time);
        return true;
    case 'u':
        put_signed(out, how, 1, '0', (time->tm_wday + 6) % 7 + 1);
        return true;
    case 'U':
        put_signed(out, how, 2, '0', (time->tm_yday - time->tm_wday + 7) / 7);
        return true;
    case 'w':
        put_signed(out, how, 1, '0', time->tm_wday);
        return true;
    case 'W':
        put_signed(out, how, 2, '0',
                   (time->tm_yday - (time->tm_wday + 6) % 7 + 7) / 7);
        return true;
    case 'y':
        put_signed(out, how, 2, '0', (year % 100 + 100) % 100);
        return true;
    case 'Y':
        put_signed(out, how, 1, '0', year);
        return true;
    case 'z':
        put_offset(out, how, time);
        return true;
    case 'Z':
        put_text(out, how, time->__tm_zone != NULL ? time->__tm_zone : "",
                 how->change_case ? LOWER : upper);
        return true;
    default:
        return false;
    }
}

static void
expand(struct output *out, struct text format, const struct tm *time,
       bool uppercase)
{
    for (size_t i = 0; at(format, i) != 0; i++) {
        if (at(format, i) != '%') {
            put(out, at(format, i));
            continue;
        }
        size_t start = i++;
        struct conversion how = {.uppercase = uppercase};
        for (;; i++) {
            wint_t flag = at(format, i);
            if (flag == '_' || flag == '-' || flag == '0') {
                how.pad = (int)flag;
            }
            else if (flag == '^') {
                how.uppercase = true;
            }
            else if (flag == '#') {
                how.change_case = true;
            }
            else {
                break;
            }
        }
        for (; at(format, i) >= '0' && at(format, i) <= '9'; i++) {
            size_t digit = at(format, i) - '0';
            size_t limit = 0x7fffffff;
            how.width = how.width > (limit - digit) / 10
                        ? limit : how.width * 10 + digit;
        }
        if (at(format, i) == 'E' || at(format, i) == 'O') {
            how.modifier = (int)at(format, i++);
        }
        if (!convert(out, &how, at(format, i), time)) {
            if (at(format, i) == 0) {
                i--;
            }
            size_t length = i + 1 - start;
            pad_left(out, &how, length);
            for (; start <= i; start++) {
                wint_t c = at(format, start);
                bool raised = how.uppercase && c < 0x80;
                put(out, raised ? (wint_t)toupper((int)c) : c);
            }
        }
    }
}

static size_t
finish(struct output *out)
{
    size_t length = out->used;
    if (length >= out->room) {
        return 0;
    }
    put(out, 0);
    return length;
}

size_t
strftime(char *restrict buffer, size_t room, const char *restrict format,
         const struct tm *restrict time)
{
    struct output out = {.narrow = buffer, .room = room};
    expand(&out, (struct text){.narrow = format}, time, false);
    return finish(&out);
}

size_t
strftime_l(char *restrict buffer, size_t room, const char *restrict format,
           const struct tm *restrict time, locale_t locale)
{
    (void)locale;
    return strftime(buffer, room, format, time);
}

size_t
wcsftime(wchar_t *restrict buffer, size_t room,
         const wchar_t *restrict format, const struct tm *restrict time)
{
    struct output out = {.wide = buffer, .room = room};
    expand(&out, (struct text){.wide = format}, time, false);
    return finish(&out);
}

size_t
wcsftime_l(wchar_t *restrict buffer, size_t room,
           const wchar_t *restrict format, const struct tm *restrict time,
           locale_t locale)
{
    (void)locale;
    return wcsftime(buffer, room, format, time);
}
