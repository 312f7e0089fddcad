/* Messages of functions of CPython that cannot work on WASI.  They name a way
 * out, which "can't start new thread" and "Function not implemented" do not.
 */

#include "runtime.h"

static PyObject *
start_thread(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args),
             PyObject *Py_UNUSED(kwargs))
{
    PyErr_SetString(
        PyExc_RuntimeError,
        "can't start new thread: WASI has no threads\n"
        "  hint: call the function directly. Connections and host names in "
        "asyncio need threads, too; in a Worker, use `fetch` of `workers`");
    return NULL;
}

#define START(name)                                         \
    {name, (PyCFunction)(void (*)(void))start_thread,       \
     METH_VARARGS | METH_KEYWORDS, "Raises RuntimeError."}

static PyMethodDef thread_functions[] = {
    START("start_joinable_thread"),
    START("start_new_thread"),
    START("start_new"),
    {NULL, NULL, 0, NULL},
};

int
pymode_replace_absent(void)
{
    PyObject *thread = PyImport_ImportModule("_thread");
    if (thread == NULL) {
        return -1;
    }
    int error = PyModule_AddFunctions(thread, thread_functions);
    Py_DECREF(thread);
    return error;
}

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
