"""What the locale says."""

import calendar
import locale

print(locale.setlocale(locale.LC_ALL, "C"))
print(sorted((name, value) for name, value in locale.localeconv().items()))
for name in sorted(name for name in dir(locale) if name.isupper() and not name.startswith(("LC_", "_", "CODESET", "CHAR"))):
    if not name.startswith("ERA") and name != "ALT_DIGITS":
        print(name, repr(locale.nl_langinfo(getattr(locale, name))))
print(locale.format_string("%d %.2f", (1234567, 2.5), grouping=True), locale.currency.__name__)
print(locale.strcoll("a", "B") > 0, locale.strxfrm("abc"), locale.atof("1.5"), locale.str(2.25))
print(locale.getlocale(locale.LC_TIME), locale.normalize("de_DE"))
print(list(calendar.day_name), list(calendar.month_abbr))
for name in ["xx_YY", "nonsense"]:
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error as error:
        print(error)
