"""Local time by rules of POSIX in TZ."""

import os
import time

RULES = [
    "UTC0",
    "EST5EDT,M3.2.0,M11.1.0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "NZST-12NZDT,M9.5.0,M4.1.0/3",
    "IST-2IDT,M3.4.4/26,M10.5.0",
    "<+0530>-5:30",
    "<-03>3",
    "JST-9",
    "AAA3BBB2,J60/0,J300/23",
    "AAA-5BBB,59,300",
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
    "",
]

for rule in RULES:
    os.environ["TZ"] = rule
    time.tzset()
    print(repr(rule), time.tzname, time.timezone, time.altzone, time.daylight)
    for year in range(1972, 2100, 7):
        for day in range(0, 365, 23):
            moment = (year - 1970) * 31556952 + day * 86400
            local = time.localtime(moment)
            print(moment, tuple(local), local.tm_zone, local.tm_gmtoff, time.mktime(local) == moment)
    print(time.strftime("%c %Z %z", time.localtime(1234567890)))
