/* Traps while it is loaded, two calls below its constructor. */

static volatile int zero;

__attribute__((noinline)) static int
inner(int number)
{
    return 7 / number;
}

__attribute__((constructor)) static void
construct(void)
{
    zero = inner(zero);
}
