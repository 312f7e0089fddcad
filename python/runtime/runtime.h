/* What the objects of the runtime call of each other. */

#ifndef PYMODE_RUNTIME_H
#define PYMODE_RUNTIME_H

#include "Python.h"

/* The built-in module `_pymode`: module.c. */
PyObject *PyInit__pymode(void);

/* Brings the interpreter up, with what is ours in it, and clears the
   configuration: start.c. */
PyStatus pymode_start(PyConfig *config);

#endif
