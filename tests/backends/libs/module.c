#include <Python.h>

int shared_answer(void);

static PyObject *answer(PyObject *self, PyObject *args) { return PyLong_FromLong(shared_answer()); }

static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_c", NULL, 0, methods};

PyMODINIT_FUNC PyInit__c(void) { return PyModule_Create(&module); }
