/* The entry points of a persistent interpreter: instead of `_start`, the host
 * calls pymode_initialise() once, and then pymode_serve() for each request.
 *
 * Between two calls the stacks are empty, so that a copy of the memory is a
 * complete snapshot.  The host's module `_handler` has a function for each call.
 * Both return 0 if the interpreter can serve another request.
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

/* Returns 1 if the handler cannot serve.  Ends the program if the interpreter
   does not start. */
int
pymode_initialise(void)
{
    __wasm_call_ctors();
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    // It looks for installed packages; the host sets the path instead.
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

/* Answers one request.  Returns 1 if the interpreter must not be entered
   again. */
int
pymode_serve(void)
{
    return handler == NULL ? 1 : call("serve");
}
