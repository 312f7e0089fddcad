/* The interpreter as it starts here: with `_pymode`. */

#include "runtime.h"

PyStatus
pymode_start(PyConfig *config)
{
    PyStatus status;
    if (PyImport_AppendInittab("_pymode", PyInit__pymode) != 0) {
        status = PyStatus_NoMemory();
    }
    else {
        status = Py_InitializeFromConfig(config);
    }
    PyConfig_Clear(config);
    return status;
}
