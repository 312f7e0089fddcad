// A library in C++: makes, throws and catches.

#include "shapes.hpp"

#include <cstdio>

namespace {
bool alive = false;

struct Life {
    Life() {
        alive = true;
        std::puts("library: constructed");
    }
    ~Life() {
        alive = false;
        std::puts("library: destroyed");
    }
} life;
} // namespace

Shape::~Shape() = default;
Square::~Square() = default;
double Square::area() const { return side * side; }

Shape *make_square(double side) { return new Square(side); }
Shape *make_unit() { return new Unit; }
bool library_is_alive() { return alive; }

void throw_one(Throw which) {
    std::string on_the_way("destroyed while unwinding");
    switch (which) {
    case Throw::Bad: throw Bad(7);
    case Throw::Int: throw 42;
    case Throw::Standard: throw std::out_of_range("out");
    case Throw::Object: throw Unit();
    case Throw::Text: throw "text";
    }
}

int catch_all(void (*function)(int), int argument) {
    try {
        function(argument);
    } catch (const Bad &bad) {
        return bad.code;
    } catch (int number) {
        return number;
    } catch (const std::exception &e) {
        return e.what()[0];
    } catch (...) {
        return -2;
    }
    return 0;
}
