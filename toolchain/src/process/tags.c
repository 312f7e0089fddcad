/* The exception tags of the process.  The program defines them, every side
 * module imports them from `env`: a module catches what another has thrown only
 * if both mean the same tag.
 *
 * C has no word for a tag.  clang refers to these two and leaves it to the
 * linker to find them; each carries the address of what was thrown.
 */

__asm__(
    ".tagtype __cpp_exception i32\n"
    ".globl __cpp_exception\n"
    "__cpp_exception:\n"
    ".tagtype __c_longjmp i32\n"
    ".globl __c_longjmp\n"
    "__c_longjmp:\n");
