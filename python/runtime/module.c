/* `_pymode`: functions of the host for Python. */

#include "runtime.h"

#include "pymode.h"

PyDoc_STRVAR(http_fetch_doc,
"http_fetch(head, body, /)\n--\n\n"
"Sends an HTTP request: `head` is the method, the URL, and names and values of\n"
"headers, with NULs between them; `body` is bytes.  Returns a descriptor, from\n"
"which pymode.http reads the answer.");

static PyObject *
http_fetch(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *head;
    Py_ssize_t head_length;
    Py_buffer body;
    if (!PyArg_ParseTuple(args, "s#y*:http_fetch", &head, &head_length,
                          &body)) {
        return NULL;
    }
    uint32_t fd;
    int error = pymode_http_fetch(head, head_length, body.buf, body.len, &fd);
    PyBuffer_Release(&body);
    if (error != 0) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromUnsignedLong(fd);
}

static PyMethodDef methods[] = {
    {"http_fetch", http_fetch, METH_VARARGS, http_fetch_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_pymode",
    .m_methods = methods,
};

PyObject *
PyInit__pymode(void)
{
    return PyModuleDef_Init(&module);
}
