#include "shape.hpp"

int Shape::made = 0;
Shape::~Shape() { made--; }

struct Square : Shape {
    double side;
    explicit Square(double side) : side(side) { made++; }
    double area() const override { return side * side; }
};

Shape *make_square(double side) { return new Square(side); }
bool is_square(const Shape *shape) { return dynamic_cast<const Square *>(shape) != nullptr; }

struct More : Inline { int kind() override { return 2; } };
Inline *make_inline() { return new More; }

void fail(const std::string &reason) { throw Failure("library: " + reason); }

int
call_and_catch(void (*function)())
{
    try {
        function();
    } catch (const Failure &failure) {
        return int(std::string(failure.what()).size());
    } catch (const std::exception &) {
        return -1;
    }
    return 0;
}

Addresses
addresses()
{
    return {&inline_variable, &static_in_inline(), &Counter<int>::count, &typeid(Shape), &typeid(Inline), inline_function};
}

void
add_one()
{
    inline_variable++;
    static_in_inline()++;
    Counter<int>::count++;
}
