/* Counts a failed check and prints its name. */

#pragma once

#include <stdio.h>

static int failures;

#define CHECK(what)                                       \
    do {                                                  \
        if (!(what)) {                                    \
            printf("line %d: not so: %s\n", __LINE__, #what); \
            failures++;                                   \
        }                                                 \
    } while (0)
