// A library with something to construct and to destroy.

#include <cstdio>
#include <string>

namespace {
struct Log {
    std::string lines = "library: constructed\n";
    Log() { std::fputs(lines.c_str(), stdout); }
    ~Log() { std::printf("library: destroyed after %zu bytes\n", lines.size()); }
} logged;
} // namespace

void append(const char *text) { logged.lines += text; }
