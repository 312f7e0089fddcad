/* The limit of recursion through C.
 *
 * CPython counts calls and raises RecursionError at a depth that suits
 * wasmtime's largest stack.  V8's stack of 1 MB overflows earlier, and the trap
 * loses the whole instance.  Only the host knows its stack, and passes the depth
 * in PYMODE_C_RECURSION.  The default is the depth for V8.
 *
 * Each thread state has its own count, and each subinterpreter and each call
 * into it has a thread state.  So the two functions that initialise thread
 * states are wrapped.
 */

#include "runtime.h"

/* bench/results has the measurements. */
#define DEPTH_IN_V8 1300

/* The count of a new thread state. */
#define INITIAL Py_C_RECURSION_LIMIT

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
        known = depth < INITIAL ? (int)depth : INITIAL;
    }
    return known;
}

static void
limit_recursion(PyThreadState *state)
{
    if (state != NULL && state->c_recursion_remaining == INITIAL) {
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

/* The hash of a tuple is made of its items' hashes.  CPython does not count
   this recursion, and untrusted data can make it deep. */
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
