/* The interpreter as it starts here: with `_pymode`, and with a depth of C
 * recursion that the host's stack can carry.
 *
 * CPython counts how deep C code calls itself and raises RecursionError in
 * time, at a depth that was chosen for wasmtime's largest stack.  In V8 a
 * stack of 1 MB ends long before, and that is a trap: the whole instance is
 * lost.  Only the host knows its stack, and tells the depth in
 * PYMODE_C_RECURSION.  Unless it does, the stack is taken to be V8's.
 */

#include "runtime.h"

/* Measured in V8 with its 984 KB: sorted() whose key calls sorted() overflows
   at a depth of 850, the deepest other cycles at 1,400 and more. */
#define DEPTH_IN_V8 600

static int
recursion_depth(void)
{
    const char *text = getenv("PYMODE_C_RECURSION");
    char *end;
    long depth = text == NULL ? 0 : strtol(text, &end, 10);
    if (text == NULL || *end != '\0' || depth < 100) {
        return DEPTH_IN_V8;
    }
    return depth < Py_C_RECURSION_LIMIT ? (int)depth : Py_C_RECURSION_LIMIT;
}

PyStatus
pymode_start(PyConfig *config)
{
    PyStatus status;
    if (PyImport_AppendInittab("_pymode", PyInit__pymode) != 0) {
        status = PyStatus_NoMemory();
    }
    else {
        status = Py_InitializeFromConfig(config);
    }
    PyConfig_Clear(config);
    if (!PyStatus_Exception(status)) {
        PyThreadState_Get()->c_recursion_remaining = recursion_depth();
    }
    return status;
}
