/* A check that is named when it fails, and counted. */

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
