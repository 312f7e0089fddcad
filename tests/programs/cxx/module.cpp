// A module in C++ that uses a library in C++ and frames of the program in C.

#include "shapes.hpp"
#include "../check.h"

#include <any>
#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <locale>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <typeindex>
#include <typeinfo>
#include <variant>
#include <vector>

extern "C" int main_calls(int (*function)(int), int argument);

namespace {
std::vector<std::string> names{"static", "constructor"};

struct Life {
    Life() { std::printf("module: constructed, the library is %s\n", library_is_alive() ? "alive" : "dead"); }
    ~Life() { std::printf("module: destroyed, the library is %s\n", library_is_alive() ? "alive" : "dead"); }
} life;

struct Counted {
    int &count;
    ~Counted() { count++; }
};

template <class Exception, class Function> bool throws(Function function) {
    try {
        function();
    } catch (const Exception &) {
        return true;
    }
    return false;
}

int caught_of(Throw which) {
    try {
        throw_one(which);
    } catch (const Bad &bad) {
        return bad.code;
    } catch (int number) {
        return number;
    } catch (const Shape &shape) {
        return static_cast<int>(shape.area());
    } catch (const std::exception &e) {
        return e.what()[0];
    } catch (const char *text) {
        return text[0];
    }
    return -1;
}

void throw_ours(int which) {
    if (which == 0) throw Bad(9);
    if (which == 1) throw 13;
    throw std::logic_error("z");
}

int catches_inside(int code) {
    try {
        throw Bad(code);
    } catch (const Bad &bad) {
        return bad.code + 1;
    }
}

int throws_outside(int code) { throw Bad(code); }

void exceptions() {
    CHECK(caught_of(Throw::Bad) == 7);
    CHECK(caught_of(Throw::Int) == 42);
    CHECK(caught_of(Throw::Standard) == 'o');
    CHECK(caught_of(Throw::Object) == 1);
    CHECK(caught_of(Throw::Text) == 't');
    CHECK(catch_all(throw_ours, 0) == 9);
    CHECK(catch_all(throw_ours, 1) == 13);
    CHECK(catch_all(throw_ours, 2) == 'z');
    CHECK(main_calls(catches_inside, 3) == 4);
    CHECK(throws<Bad>([] { main_calls(throws_outside, 1); }));

    int destroyed = 0;
    bool again = throws<Bad>([&] {
        try {
            Counted first{destroyed};
            throw Bad(1);
        } catch (const std::exception &) {
            Counted second{destroyed};
            throw;
        }
    });
    CHECK(again && destroyed == 2);

    std::exception_ptr kept;
    try {
        throw_one(Throw::Bad);
    } catch (...) {
        kept = std::current_exception();
    }
    CHECK(throws<Bad>([&] { std::rethrow_exception(kept); }));
    CHECK(std::uncaught_exceptions() == 0);

    try {
        try {
            throw_one(Throw::Standard);
        } catch (...) {
            std::throw_with_nested(Bad(2));
        }
    } catch (const Bad &bad) {
        CHECK(throws<std::out_of_range>([&] { std::rethrow_if_nested(bad); }));
    }
}

void types() {
    Shape *square = make_square(4), *unit = make_unit();
    CHECK(square->area() == 16 && unit->area() == 1);
    CHECK(dynamic_cast<Square *>(square) && !dynamic_cast<Unit *>(square));
    CHECK(dynamic_cast<Unit *>(unit) && !dynamic_cast<Square *>(unit));
    CHECK(typeid(*square) == typeid(Square) && typeid(*unit) == typeid(Unit));
    CHECK(std::type_index(typeid(*unit)).hash_code() == std::type_index(typeid(Unit)).hash_code());
    CHECK(throws<std::bad_cast>([&] { (void)dynamic_cast<Square &>(*unit); }));
    delete square;
    delete unit;
}

void library() {
    CHECK(names.size() == 2 && names[1] == "constructor");
    CHECK(throws<std::out_of_range>([] { (void)std::vector<int>().at(3); }));
    CHECK(throws<std::invalid_argument>([] { (void)std::stoi("nope"); }));
    CHECK(throws<std::bad_any_cast>([] { (void)std::any_cast<double>(std::any(3)); }));
    CHECK(throws<std::bad_function_call>([] { std::function<void()>()(); }));
    CHECK(throws<std::bad_optional_access>([] { (void)std::optional<int>().value(); }));
    CHECK(throws<std::bad_variant_access>([] { (void)std::get<int>(std::variant<int, std::string>("s")); }));
    CHECK(throws<std::regex_error>([] { std::regex("("); }));
    CHECK(throws<std::bad_alloc>([] {
        volatile std::size_t size = SIZE_MAX / 2 - 64;
        char *volatile block = new char[size];
        char *volatile other = new char[size];
        (void)block, (void)other;
    }));
    CHECK(throws<std::filesystem::filesystem_error>([] { (void)std::filesystem::file_size("/nowhere"); }));
    CHECK(std::regex_match("ab12", std::regex("[a-b]+[0-9]+")));
    std::ostringstream text;
    text << 3.25 << ' ' << std::string("x") << ' ' << std::hex << 255;
    CHECK(text.str() == "3.25 x ff");
    std::cout << "module: std::cout " << 1.5 << std::endl;
    double number = 0;
    std::string_view digits = "1.5e3";
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    CHECK(number == 1500);
    std::mt19937 generator(1);
    CHECK(generator() == 1791095845u);
    CHECK(std::use_facet<std::ctype<char>>(std::locale()).toupper('a') == 'A');
}

void locks() {
    std::mutex mutex;
    {
        std::lock_guard<std::mutex> guard(mutex);
        CHECK(!mutex.try_lock());
    }
    CHECK(mutex.try_lock());
    mutex.unlock();
    std::recursive_mutex recursive;
    std::lock_guard<std::recursive_mutex> first(recursive), second(recursive);
    std::once_flag once;
    int times = 0;
    for (int i = 0; i < 2; i++) {
        std::call_once(once, [&] { times++; });
    }
    CHECK(times == 1);
    std::condition_variable changed;
    changed.notify_all();
    static thread_local std::string here = "thread_local";
    CHECK(here.size() == 12);
}

void files() {
    namespace fs = std::filesystem;
    fs::path dir = fs::temp_directory_path() / "pymode-cxx-test";
    fs::remove_all(dir);
    fs::create_directory(dir);
    {
        std::ofstream out(dir / "a");
        out << "hello\n";
    }
    fs::copy_file(dir / "a", dir / "b");
    std::string word;
    std::ifstream(dir / "b") >> word;
    CHECK(word == "hello" && fs::file_size(dir / "b") == 6);
    int count = 0;
    for (const auto &entry : fs::directory_iterator(dir)) {
        count += entry.is_regular_file();
    }
    CHECK(count == 2);
    CHECK(fs::remove_all(dir) == 3);
}
} // namespace

extern "C" int test() {
    exceptions();
    types();
    library();
    locks();
    files();
    return failures;
}
