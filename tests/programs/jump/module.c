/* setjmp and longjmp in a module, through another, and through the program. */

#include "../check.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>

int main_catches(void (*function)(int), int argument);
_Noreturn void main_jumps(int value);
int through_cxx(void (*function)(void));
int past_catch_all(void);
int throws_and_jumps(bool throws);

static jmp_buf here, inner;

static int
dive(int depth)
{
    if (depth == 0) {
        longjmp(here, 5);
    }
    return dive(depth - 1) + 1;
}

static int
from_the_depth(void)
{
    volatile int before = 1;
    int value = setjmp(here);
    if (value == 0) {
        before = 2;
        dive(20);
        return -1;
    }
    return value * 10 + before;
}

static int
zero_is_one(void)
{
    int value = setjmp(here);
    if (value == 0) {
        longjmp(here, 0);
    }
    return value;
}

static int
nested(void)
{
    int outer = setjmp(here);
    if (outer != 0) {
        return outer;
    }
    int value = setjmp(inner);
    if (value != 0) {
        longjmp(here, value + 1);
    }
    longjmp(inner, 1);
}

static int
again_and_again(void)
{
    volatile int times = 0;
    int value = setjmp(here);
    times++;
    if (value < 100) {
        longjmp(here, value + 1);
    }
    return times;
}

static void
jump_out(void)
{
    longjmp(here, 77);
}

static int
through_a_module(void)
{
    int value = setjmp(here);
    return value != 0 ? value : through_cxx(jump_out);
}

static void
at_exit(void)
{
    puts("module: at exit");
}

static void
before_that(void)
{
    puts("module: before that");
}

int
test(void)
{
    CHECK(from_the_depth() == 52);
    CHECK(zero_is_one() == 1);
    CHECK(nested() == 2);
    CHECK(again_and_again() == 101);
    CHECK(through_a_module() == 77);
    CHECK(main_catches(main_jumps, 42) == 42);
    CHECK(past_catch_all() == 41);
    CHECK(throws_and_jumps(true) == 3);
    CHECK(throws_and_jumps(false) == 8);
    atexit(at_exit);
    atexit(before_that);
    return failures;
}
