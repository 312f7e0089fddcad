/* needs: a */
int next(void);
extern int counter;
int
from_b(void)
{
    int given = next();
    return given == counter;
}
