/* How deep C code may call itself.
 *
 * CPython counts it, and raises RecursionError in time, at a depth that was
 * chosen for wasmtime's largest stack.  In V8 a stack of 1 MB ends before, and
 * that is a trap: the whole instance is lost.  Only the host knows its stack,
 * and passes the depth in PYMODE_C_RECURSION.  Without it the stack is taken to
 * be V8's.
 *
 * Each thread state has its own count: one is made for each subinterpreter, and
 * for each call into it.  So the two functions that make one ready are wrapped.
 */

#include "runtime.h"

/* README.md and bench/results say what was measured. */
#define DEPTH_IN_V8 1300

/* Each begins with all that CPython allows. */
#define AS_IT_WAS_MADE Py_C_RECURSION_LIMIT

static int
limit(void)
{
    static int known;
    if (known == 0) {
        const char *text = getenv("PYMODE_C_RECURSION");
        char *end;
        long depth = text == NULL ? 0 : strtol(text, &end, 10);
        if (text == NULL || *end != '\0' || depth < 100) {
            depth = DEPTH_IN_V8;
        }
        known = depth < AS_IT_WAS_MADE ? (int)depth : AS_IT_WAS_MADE;
    }
    return known;
}

static void
limit_recursion(PyThreadState *state)
{
    if (state != NULL && state->c_recursion_remaining == AS_IT_WAS_MADE) {
        state->c_recursion_remaining = limit();
    }
}

void __real__PyThreadState_Bind(PyThreadState *state);

void
__wrap__PyThreadState_Bind(PyThreadState *state)
{
    limit_recursion(state);
    __real__PyThreadState_Bind(state);
}

PyThreadState *__real__PyThreadState_NewBound(PyInterpreterState *interpreter,
                                              int whence);

PyThreadState *
__wrap__PyThreadState_NewBound(PyInterpreterState *interpreter, int whence)
{
    PyThreadState *state = __real__PyThreadState_NewBound(interpreter, whence);
    limit_recursion(state);
    return state;
}

Py_hash_t __real_PyObject_Hash(PyObject *object);

/* A tuple asks its items, which may be tuples: of all that CPython does not
   count, the one that data from elsewhere can make deep. */
Py_hash_t
__wrap_PyObject_Hash(PyObject *object)
{
    if (!PyTuple_Check(object)) {
        return __real_PyObject_Hash(object);
    }
    if (Py_EnterRecursiveCall(" while hashing a tuple")) {
        return -1;
    }
    Py_hash_t hash = __real_PyObject_Hash(object);
    Py_LeaveRecursiveCall();
    return hash;
}
