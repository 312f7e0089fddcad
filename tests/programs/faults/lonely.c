/* Needs an undefined symbol. */
int nowhere(int);

int
lonely(int number)
{
    return nowhere(number);
}
