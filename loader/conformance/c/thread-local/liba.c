_Thread_local int local = 40;
int bump(void) { return ++local; }
