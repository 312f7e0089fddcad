/* needs: shape */
/* Classes, exceptions and inline entities that a program and its library share. */
#include "shape.hpp"
#include <cstdio>

struct Circle : Shape {
    Circle() { made++; }
    double area() const override { return 3; }
};

static void throws() { throw Failure("four"); }
static void throws_other() { throw std::logic_error("other"); }

int
main()
{
    Shape *square = make_square(3), *circle = new Circle;
    std::printf("%g %g, %d made\n", square->area(), circle->area(), Shape::made);
    std::printf("squares: %d %d\n", is_square(square), is_square(circle));
    std::printf("circle: %d %d\n", dynamic_cast<Circle *>(square) != nullptr, dynamic_cast<Circle *>(circle) != nullptr);
    delete square;
    delete circle;
    std::printf("%d left\n", Shape::made);

    Inline *inline_object = make_inline();
    std::printf("kind %d %d\n", inline_object->kind(), Inline().kind());

    try {
        fail("three");
    } catch (const Failure &failure) {
        std::printf("%s\n", failure.what());
    }
    std::printf("caught there: %d %d\n", call_and_catch(throws), call_and_catch(throws_other));

    Addresses there = addresses();
    std::printf("variable %d, local %d, template %d, types %d %d, function %d\n",
                there.variable == &inline_variable, there.local == &static_in_inline(), there.count == &Counter<int>::count,
                there.type == &typeid(Shape), there.inline_type == &typeid(Inline), there.function == inline_function);
    add_one();
    std::printf("%d %d %d\n", inline_variable, static_in_inline(), Counter<int>::count);
}
