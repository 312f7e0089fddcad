// Declarations that the library and the module share.

#pragma once

#include <stdexcept>
#include <string>

// Its vtable and type are in the library, because the destructor is not inline.
struct Shape {
    virtual ~Shape();
    virtual double area() const = 0;
};

struct Square : virtual Shape {
    double side;
    explicit Square(double side) : side(side) {}
    ~Square() override;
    double area() const override;
};

// Its vtable and type are in every module.
struct Unit : Shape {
    double area() const override { return 1; }
};

struct Bad : std::runtime_error {
    int code;
    explicit Bad(int code) : std::runtime_error("bad " + std::to_string(code)), code(code) {}
};

enum class Throw { Bad, Int, Standard, Object, Text };

Shape *make_square(double side);
Shape *make_unit();
void throw_one(Throw which);
int catch_all(void (*function)(int), int argument);
bool library_is_alive();
