char first[4] = "abc";
static char hidden[4] = "def";
char *where(void) { return hidden; }
static int inner(void) { return 1; }
void *function(void) { return (void *)inner; }
