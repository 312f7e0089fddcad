__attribute__((weak)) int absent(void);
__attribute__((weak)) int there(void);
__attribute__((weak)) extern int data_absent;
__attribute__((weak)) extern int data_there;

int call_absent(void) { return absent ? absent() : -1; }
int call_there(void) { return there ? there() : -1; }
int read_absent(void) { return &data_absent ? data_absent : -1; }
int read_there(void) { return &data_there ? data_there : -1; }
