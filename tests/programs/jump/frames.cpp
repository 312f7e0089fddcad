// Frames of C++ between setjmp and longjmp.

#include <csetjmp>

extern "C" {
int main_catches(void (*function)(int), int argument);
void main_jumps(int value);

int through_cxx(void (*function)()) {
    function();
    return 3;
}

// catch (...) is for exceptions: a jump passes by.
int past_catch_all() {
    return main_catches(
        [](int value) {
            try {
                main_jumps(value);
            } catch (...) {
            }
        },
        41);
}

static std::jmp_buf here;

int throws_and_jumps(bool throws) {
    if (int value = setjmp(here)) {
        return value;
    }
    try {
        if (throws) {
            throw 3;
        }
        std::longjmp(here, 8);
    } catch (int number) {
        return number;
    }
}
}
