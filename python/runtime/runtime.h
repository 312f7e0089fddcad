/* Functions and variables that the objects of the runtime share. */

#ifndef PYMODE_RUNTIME_H
#define PYMODE_RUNTIME_H

#include <stdbool.h>

#include "Python.h"

/* The built-in module `_pymode`: module.c. */
PyObject *PyInit__pymode(void);

/* True after socket() has failed: absent.c. */
extern bool pymode_socket_refused;

/* Starts the interpreter with `_pymode` and clears the configuration:
   start.c. */
PyStatus pymode_start(PyConfig *config);

#endif
