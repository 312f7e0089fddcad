int from_comma(void) { return 7; }
