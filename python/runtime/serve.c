/* How a host enters an interpreter that stays: instead of `_start`, it calls
 * pymode_initialise() once, and then pymode_serve() for each request.
 *
 * Between two calls nothing of the guest is on any stack, so that a copy of its
 * memory is a copy of all of it.  The module `_handler`, which the host brings,
 * has a function for each call; both answer whether the interpreter is fit for
 * another one.
 */

#include "runtime.h"

/* Constructors of C and C++, which `_start` would call. */
void __wasm_call_ctors(void);

static PyObject *handler;

/* Returns the function's result, or 1 if it raised: its traceback is then on
   the standard error. */
static int
call(const char *name)
{
    PyObject *result = PyObject_CallMethod(handler, name, NULL);
    long answer = result == NULL ? -1 : PyLong_AsLong(result);
    Py_XDECREF(result);
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(handler);
        answer = 1;
    }
    // What C code printed belongs to this request's log.
    (void)fflush(NULL);
    return answer != 0;
}

/* 0, or 1 when the handler is not fit to serve. It ends the program when not
   even the interpreter is. */
int
pymode_initialise(void)
{
    __wasm_call_ctors();
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    // It finds the packages of whoever installed Python.  Here they are given.
    config.site_import = 0;
    PyStatus status = pymode_start(&config);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    handler = PyImport_ImportModule("_handler");
    if (handler == NULL) {
        PyErr_WriteUnraisable(NULL);
        return 1;
    }
    return call("initialise");
}

/* Answers one request.  0, or 1 when the interpreter must not be entered
   again. */
int
pymode_serve(void)
{
    return handler == NULL ? 1 : call("serve");
}
