#include <Python.h>

static PyObject *answer(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return Py_BuildValue("iii", ASKED, (int)sizeof(void *), (int)sizeof(long));
}

static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "by_hatch", NULL, 0, methods};

PyMODINIT_FUNC PyInit_by_hatch(void) { return PyModule_Create(&module); }
