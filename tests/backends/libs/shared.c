static int calls;

int shared_answer(void) { return ANSWER + calls++; }
