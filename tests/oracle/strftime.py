"""Every conversion of strftime with every flag, and what datetime and strptime make of them."""

import datetime
import itertools
import time

LETTERS = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%+NQfiJKLoqv"
MOMENTS = [
    (2026, 1, 2, 3, 4, 5),
    (1999, 12, 31, 23, 59, 59),
    (2000, 2, 29, 0, 0, 0),
    (2024, 12, 30, 12, 0, 0),
    (2021, 1, 3, 13, 30, 7),
    (976, 5, 6, 11, 12, 13),
    (5, 3, 1, 1, 1, 1),
    (9999, 12, 31, 23, 59, 59),
]


def show(form, moment):
    when = datetime.datetime(*moment)
    fields = when.timetuple()
    print(repr(form), moment[0], repr(time.strftime(form, fields)))


for letter, moment in itertools.product(LETTERS, MOMENTS):
    show("%" + letter, moment)
for flag, letter in itertools.product(["-", "_", "0", "^", "#", "_^", "#0", "E", "O"], LETTERS):
    show("%" + flag + letter, MOMENTS[0])
for width, letter in itertools.product(["1", "4", "-4", "_4", "012", "^12"], LETTERS):
    show("%" + width + letter, MOMENTS[1])
for form in ["", "%", "%%%", "a%", "100% sure", "%k %l %P", "%:z", "%::z", "%E", "%Ek", "äö %A ü", "x" * 3000]:
    show(form, MOMENTS[4])

for moment in MOMENTS:
    when = datetime.datetime(*moment, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
    for form in ["%Y", "%G", "%C", "%F", "%y", "%c", "%x", "%X", "%z", "%:z", "%Z", "%f", "%k|%l|%P", "%-d.%-m."]:
        print(form, when.strftime(form), f"{when:{form}}", when.date().strftime(form))

for text, form in [
    ("2026-01-02 03:04:05", "%Y-%m-%d %H:%M:%S"),
    ("Fri Jan  2 03:04:05 2026", "%c"),
    ("01/02/26", "%x"),
    ("03:04:05", "%X"),
    ("2 January 2026 11 pm", "%d %B %Y %I %p"),
    ("Sat 31 Dec 1999 +0130", "%a %d %b %Y %z"),
    ("2024 366", "%Y %j"),
    ("2026 53 5", "%G %V %u"),
    ("UTC 1", "%Z %d"),
    ("20260102", "%Y%m%d"),
    ("bad", "%Y"),
    ("1 1", "%k %d"),
]:
    try:
        print(form, tuple(time.strptime(text, form)))
    except ValueError as error:
        print(form, error)

print(time.asctime((2026, 1, 2, 3, 4, 5, 4, 2, 0)), time.ctime(0))
