#include <Python.h>

#include "generated.h"

static PyObject *answer(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return Py_BuildValue("iii", ASKED, GENERATED, (int)sizeof(long));
}

static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "by_meson", NULL, 0, methods};

PyMODINIT_FUNC PyInit_by_meson(void) { return PyModule_Create(&module); }
