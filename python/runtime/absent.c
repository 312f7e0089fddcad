/* Messages of functions of CPython that cannot work on WASI.  They name a way
 * out, which "Function not implemented" does not.
 */

#include "runtime.h"

bool pymode_socket_refused;

PyObject *__real_PyErr_SetFromErrno(PyObject *type);

/* Raises the error of the call of socket() that has just failed. */
PyObject *
__wrap_PyErr_SetFromErrno(PyObject *type)
{
    if (!pymode_socket_refused || errno != ENOSYS) {
        return __real_PyErr_SetFromErrno(type);
    }
    pymode_socket_refused = false;
    PyObject *error = PyObject_CallFunction(
        type, "is", ENOSYS,
        "Function not implemented: WASI has no connections\n"
        "  hint: in a Worker, use `pymode.http.fetch`, or `fetch` of `workers`");
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
    return NULL;
}
