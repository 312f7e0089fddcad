/* Needs what nobody has. */
int nowhere(int);

int
lonely(int number)
{
    return nowhere(number);
}
