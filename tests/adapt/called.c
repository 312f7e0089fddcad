// Functions that are called as another type than they have: with more parameters than the caller gives, with fewer, with another
// result. Native machines let all of them pass. Each tells what it was called with, so that a wrong value shows.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>

#define PASTE(a, b) a##b
#define INIT(name) PASTE(PyInit_, name)
#define STRING(name) #name
#define TEXT(name) STRING(name)

typedef struct {
    PyObject_HEAD
    long number;
} Thing;

static int ended;
static int cleared;

static PyObject *seen(const char *name, PyObject *value, const void *more) {
    return Py_BuildValue("sOi", name, value ? value : Py_None, more != NULL);
}

// ---- Methods ------------------------------------------------------------------------------------------------------------------

static PyObject *varargs_3(PyObject *self, PyObject *args, PyObject *more) { return seen("varargs_3", args, more); }
static PyObject *noargs_3(PyObject *self, PyObject *none, PyObject *more) { return seen("noargs_3", none, more); }
static PyObject *noargs_1(PyObject *self) { return seen("noargs_1", NULL, NULL); }
static PyObject *noargs_0() { return seen("noargs_0", NULL, NULL); }
static PyObject *o_3(PyObject *self, PyObject *o, PyObject *more) { return seen("o_3", o, more); }
static PyObject *o_numbers(PyObject *self, PyObject *o, double a, int64_t b, float c) {
    return Py_BuildValue("sOdLd", "o_numbers", o, a, (long long)b, (double)c);
}
static PyObject *fast_4(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *more) {
    return seen("fast_4", count ? args[0] : NULL, more);
}
static PyObject *fast_wide(PyObject *self, PyObject *const *args, int64_t count) {
    return Py_BuildValue("sL", "fast_wide", (long long)count);
}
static PyObject *fast_2(PyObject *self, PyObject *const *args) { return seen("fast_2", args[0], NULL); }
static PyObject *keywords_3(PyObject *self, PyObject *args, PyObject *names) { return seen("keywords_3", args, names); }
static PyObject *keywords_4(PyObject *self, PyObject *args, PyObject *names, void *more) {
    return seen("keywords_4", args, more);
}
static PyObject *keywords_2(PyObject *self, PyObject *args) { return seen("keywords_2", args, NULL); }

#ifdef __cplusplus
#define THROUGH(type, function) reinterpret_cast<type>(reinterpret_cast<void (*)()>(function))
#else
#define THROUGH(type, function) (type)(void (*)(void))(function)
#endif

// ---- A static type, and the same functions as a heap type's slots --------------------------------------------------------------

static PyObject *repr_2(Thing *self, PyObject *more) {
    return PyUnicode_FromFormat("<repr %ld %d>", self->number, more != NULL);
}
static PyObject *str_0() { return PyUnicode_FromString("<str>"); }
static PyObject *iter_2(PyObject *self, void *more) { return more ? NULL : Py_NewRef(self); }
static PyObject *next_3(Thing *self, PyObject *a, PyObject *b) {
    return self->number > 2 || a || b ? NULL : PyLong_FromLong(self->number++);
}
static uint64_t hash_wide(Thing *self) { return 77 + (((uint64_t)1) << 40); }
static PyObject *call_4(Thing *self, PyObject *args, PyObject *names, void *more) { return seen("call_4", args, more); }
static PyObject *compare_4(Thing *self, Thing *other, int operation, void *more) {
    return more ? NULL : PyBool_FromLong(operation == Py_EQ);
}
static PyObject *compare_2(Thing *self, Thing *other) { return PyUnicode_FromString("compare_2"); }
static int init_4(Thing *self, PyObject *args, PyObject *names, void *more) {
    self->number = more != NULL;
    return 0;
}
static void init_1(Thing *self) { self->number = 1; }
static void dealloc_2(PyObject *self, void *more) {
    PyTypeObject *type = Py_TYPE(self);
    ended += more == NULL;
    type->tp_free(self);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE)
        Py_DECREF(type);
}
static PyObject *add_3(PyObject *self, PyObject *other, PyObject *more) { return seen("add_3", PyLong_Check(other) ? other : self, more); }
static int64_t bool_2(Thing *self, void *more) { return more == NULL; }
static int length_2(Thing *self, PyObject *more) { return more ? -1 : 3; }
static PyObject *subscript_3(Thing *self, PyObject *key, PyObject *more) { return seen("subscript_3", key, more); }
static void store_4(Thing *self, PyObject *key, PyObject *value, void *more) { self->number = more ? -1 : 40; }
static int contains_3(Thing *self, PyObject *key, void *more) { return more == NULL; }
static PyObject *await_2(PyObject *self, void *more) { return more ? NULL : PyObject_GetIter(self); }
static int buffer_4(PyObject *self, Py_buffer *view, int flags, void *more) {
    static char bytes[] = "buffer";
    return more ? -1 : PyBuffer_FillInfo(view, self, bytes, 6, 1, flags);
}
static void release_0(void) { ended += 100; }
static PyObject *get_3(Thing *self, void *closure, void *more) { return seen("get_3", NULL, more); }
static PyObject *get_0(void) { return PyUnicode_FromString("get_0"); }
static void set_1(Thing *self) { self->number = 5; }
static PyObject *getattr_3(PyObject *self, PyObject *name, void *more) {
    return more ? NULL : PyObject_GenericGetAttr(self, name);
}
static PyObject *thing_number(Thing *self) { return PyLong_FromLong(self->number); }
static PyObject *free_pass(Thing *self, PyObject *args, PyObject *names) { return seen("free_pass", args, names); }

static PyMethodDef thing_methods[] = {
    {"number", (PyCFunction)thing_number, METH_NOARGS, NULL},
    {"free_pass", (PyCFunction)free_pass, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef thing_getset[] = {
    {"three", (getter)get_3, (setter)set_1, NULL, NULL},
    {"zero", (getter)get_0, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyNumberMethods as_number = {};
static PySequenceMethods as_sequence = {};
static PyMappingMethods as_mapping = {(lenfunc)length_2, (binaryfunc)subscript_3, (objobjargproc)store_4};
static PyAsyncMethods as_async = {(unaryfunc)await_2};
static PyBufferProcs as_buffer = {(getbufferproc)buffer_4, (releasebufferproc)release_0};
static PyTypeObject static_type = {PyVarObject_HEAD_INIT(NULL, 0)};

// Half by assignment, which C++ can do as well, and which some generators write.
static int ready(void) {
    PyTypeObject *type = &static_type;
    as_number.nb_add = (binaryfunc)add_3;
    as_number.nb_bool = (inquiry)bool_2;
    as_sequence.sq_contains = (objobjproc)(void *)contains_3;
    type->tp_name = "static_type";
    type->tp_basicsize = sizeof(Thing);
    type->tp_flags = Py_TPFLAGS_DEFAULT;
    type->tp_as_number = &as_number;
    type->tp_as_sequence = &as_sequence;
    type->tp_as_mapping = &as_mapping;
    type->tp_as_async = &as_async;
    type->tp_as_buffer = &as_buffer;
    type->tp_methods = thing_methods;
    type->tp_getset = thing_getset;
    type->tp_new = PyType_GenericNew;
    type->tp_init = (initproc)init_4;
    type->tp_dealloc = (destructor)dealloc_2;
    type->tp_repr = (reprfunc)repr_2;
    static_type.tp_str = THROUGH(reprfunc, str_0);
    static_type.tp_iter = (getiterfunc)(ended > 100 ? NULL : iter_2);
    static_type.tp_iternext = (iternextfunc)next_3;
    static_type.tp_hash = (hashfunc)hash_wide;
    static_type.tp_call = (ternaryfunc)call_4;
    static_type.tp_richcompare = (richcmpfunc)compare_4;
    static_type.tp_getattro = (getattrofunc)getattr_3;
#ifndef __cplusplus
    // Without a cast, which compilers only accept with an option.
    type->tp_repr = repr_2;
#endif
    // A function has one address.
    return PyType_Ready(type) || type->tp_dealloc != static_type.tp_dealloc;
}

static PyType_Slot heap_slots[] = {
    {Py_tp_methods, thing_methods},
    {Py_tp_getset, thing_getset},
    {Py_tp_init, (void *)init_1},
    {Py_tp_dealloc, (void *)dealloc_2},
    {Py_tp_repr, (void *)repr_2},
    {Py_tp_iter, (void *)iter_2},
    {Py_tp_iternext, (void *)(iternextfunc)next_3},
    {Py_tp_hash, (void *)&hash_wide},
    {Py_tp_call, (void *)call_4},
    {Py_tp_richcompare, (void *)compare_2},
    {Py_nb_add, (void *)add_3},
    {Py_mp_length, (void *)length_2},
    {Py_mp_subscript, (void *)subscript_3},
    {Py_mp_ass_subscript, (void *)store_4},
    {Py_am_await, (void *)await_2},
    {0, NULL},
};
static PyType_Spec heap_spec = {"heap_type", sizeof(Thing), 0, Py_TPFLAGS_DEFAULT, heap_slots};

// ---- Callbacks ----------------------------------------------------------------------------------------------------------------

static int by_number(const int *a, const int *b, void *more) { return more ? 0 : *a - *b; }
static PyObject *sorted(PyObject *self, PyObject *none) {
    int numbers[] = {3, 1, 2}, wanted = 2;
    qsort(numbers, 3, sizeof(int), (int (*)(const void *, const void *))by_number);
    int *found = (int *)bsearch(&wanted, numbers, 3, sizeof(int), (int (*)(const void *, const void *))by_number);
    return Py_BuildValue("iiii", numbers[0], numbers[1], numbers[2], found ? (int)(found - numbers) : -1);
}

static void capsule_ends(void) { ended += 1000; }
static PyObject *capsule(PyObject *self, PyObject *none) {
    return PyCapsule_New(&ended, "thing", (PyCapsule_Destructor)capsule_ends);
}

static void pending(void *flag, int more) { *(int *)flag += more ? 0 : 10000; }
static PyObject *later(PyObject *self, PyObject *none) {
    Py_AddPendingCall((int (*)(void *))pending, &ended);
    Py_RETURN_NONE;
}

static int at_exit(void) {
    puts("at exit");
    return 1;
}
static PyObject *leave(PyObject *self, PyObject *none) {
    atexit((void (*)(void))at_exit);
    return PyLong_FromLong(Py_AtExit((void (*)(void))at_exit));
}

static PyObject *count(PyObject *self, PyObject *none) { return PyLong_FromLong(ended); }

// ---- The module ---------------------------------------------------------------------------------------------------------------

static PyMethodDef methods[] = {
    {"varargs_3", (PyCFunction)varargs_3, METH_VARARGS, NULL},
    {"noargs_3", (PyCFunction)noargs_3, METH_NOARGS, NULL},
    {"noargs_1", (PyCFunction)noargs_1, METH_NOARGS, NULL},
    {"noargs_0", (PyCFunction)noargs_0, METH_NOARGS, NULL},
    {"o_3", THROUGH(PyCFunction, o_3), METH_O, NULL},
    {"o_numbers", (PyCFunction)o_numbers, METH_O, NULL},
    {"fast_4", _PyCFunction_CAST(fast_4), METH_FASTCALL, NULL},
    {"fast_2", _PyCFunction_CAST(fast_2), METH_FASTCALL, NULL},
    {"fast_wide", THROUGH(PyCFunction, fast_wide), METH_FASTCALL, NULL},
    {"keywords_3", (PyCFunction)(void *)keywords_3, METH_VARARGS | METH_KEYWORDS, NULL},
    {"keywords_4", (PyCFunction)(void *)keywords_4, METH_VARARGS | METH_KEYWORDS, NULL},
    {"keywords_2", (PyCFunction)keywords_2, METH_VARARGS | METH_KEYWORDS, NULL},
    {"decimal", (PyCFunction)varargs_3, 1, NULL},
    {"sorted", sorted, METH_NOARGS, NULL},
    {"capsule", capsule, METH_NOARGS, NULL},
    {"later", later, METH_NOARGS, NULL},
    {"leave", leave, METH_NOARGS, NULL},
    {"count", count, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int execute_2(PyObject *module, void *more) {
    PyObject *heap = PyType_FromSpec(&heap_spec);
    return more || ready() || PyModule_AddObjectRef(module, "static_type", (PyObject *)&static_type) || PyModule_AddObjectRef(module, "heap_type", heap);
}
static void clear_1(PyObject *module) { cleared++; }
static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)execute_2},
    {0, NULL},
};
static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, TEXT(NAME), NULL, 0, methods, module_slots, NULL, (inquiry)clear_1, NULL,
};

PyMODINIT_FUNC INIT(NAME)(void) { return PyModuleDef_Init(&definition); }
