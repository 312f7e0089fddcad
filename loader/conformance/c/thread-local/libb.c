/* needs: a */
extern _Thread_local int local;
int look(void) { return local; }
