#include <stdexcept>
#include <string>
#include <typeinfo>

/* The library has its virtual table and its type. */
struct Shape {
    virtual ~Shape();
    virtual double area() const = 0;
    static int made;
};

/* All of these is inline: each module has them, and there is one of each. */
inline int inline_variable = 5;
inline int &static_in_inline() { static int value = 10; return value; }
template <typename T> struct Counter { static int count; };
template <typename T> int Counter<T>::count = 20;
inline int inline_function() { return 30; }
struct Inline { virtual ~Inline() {} virtual int kind() { return 1; } };
struct Failure : std::runtime_error { using std::runtime_error::runtime_error; };

Shape *make_square(double side);
bool is_square(const Shape *shape);
Inline *make_inline();
void fail(const std::string &reason);
int call_and_catch(void (*function)());

struct Addresses {
    const void *variable, *local, *count, *type, *inline_type;
    int (*function)();
};
Addresses addresses();
void add_one();
