"""What the locale says."""

import calendar
import locale

print(locale.setlocale(locale.LC_ALL, "C"))
print(sorted((name, value) for name, value in locale.localeconv().items()))
# musl writes %T where glibc writes what it stands for, and has no sign where glibc says that there is none.
LEFT_OUT = ("LC_", "_", "CODESET", "CHAR", "ERA", "ALT_DIGITS", "D_T_FMT", "CRNCYSTR")
for name in sorted(name for name in dir(locale) if name.isupper() and not name.startswith(LEFT_OUT)):
    print(name, repr(locale.nl_langinfo(getattr(locale, name))))
print(locale.format_string("%d %.2f", (1234567, 2.5), grouping=True), locale.currency.__name__)
print(locale.strcoll("a", "B") > 0, locale.strxfrm("abc"), locale.atof("1.5"), locale.str(2.25))
print(locale.getlocale(locale.LC_TIME), locale.normalize("de_DE"))
print(list(calendar.day_name), list(calendar.month_abbr))
