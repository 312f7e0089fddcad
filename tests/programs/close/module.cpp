// A module that is closed: its registered functions run, newest first, and a
// new load starts with fresh state.

#include "../check.h"

#include <cstdlib>
#include <map>
#include <string>

void append(const char *text);

extern "C" {
int close_me = 1;
int test();
}

namespace {
int opened;
std::map<std::string, int> counts{{"one", 1}, {"two", 2}};

struct Named {
    const char *name;
    ~Named() {
        std::printf("module: %s destroyed, the library lives\n", name);
        append(name);
    }
};

Named first{"first"};
Named second{"second"};

Named &on_demand() {
    static Named third{"third"};
    return third;
}

void at_exit() { std::puts("module: at exit"); }
} // namespace

int test() {
    CHECK(++opened == 1);
    CHECK(counts.size() == 2 && counts["two"] == 2);
    counts["three"] = 3;
    append("tested");
    CHECK(std::atexit(at_exit) == 0);
    std::printf("module: %s is there\n", on_demand().name);
    return failures;
}
