/* CPython's door to the pymode loader.
 *
 * CPython's configure takes the name of this file through DYNLOADFILE, as it
 * does for its own dynload_*.c: no source of CPython is changed.  The host
 * loads the side module; this file turns a path into an init function, and a
 * refusal into an ImportError that carries all the loader has to say.
 */

#include "Python.h"
#include "pycore_importdl.h"      // dl_funcptr
#include "pycore_interp.h"
#include "pycore_pystate.h"       // _PyInterpreterState_GET()

#include <dlfcn.h>                // RTLD_LOCAL, RTLD_GLOBAL
#include <stdint.h>
#include <string.h>
#include <unistd.h>               // getcwd()

#include "pymode.h"

/* The tagged suffix goes first: a module built for another version of the ABI
   has another tag and is not even found. */
const char *_PyImport_DynLoadFiletab[] = {
    PYMODE_EXT_SUFFIX,
    ".wasm",
    NULL,
};


/* What the loader says of the last refused call; reading it clears it.  A new
   reference, or NULL with an exception set. */
static PyObject *
take_loader_error(void)
{
    size_t length = pymode_dl_error(NULL, 0);
    char *buffer = PyMem_Malloc(length + 1);
    if (buffer == NULL) {
        return PyErr_NoMemory();
    }
    pymode_dl_error(buffer, length);
    PyObject *message = PyUnicode_DecodeUTF8(buffer, length, "replace");
    PyMem_Free(buffer);
    return message;
}


/* Raises ImportError with the loader's message, behind `lead` and a newline
   when there is one. */
static void
raise_import_error(PyObject *lead, const char *shortname, const char *pathname)
{
    PyObject *message = take_loader_error();
    if (message != NULL && lead != NULL) {
        Py_SETREF(message, PyUnicode_FromFormat("%U\n%U", lead, message));
    }
    if (message == NULL) {
        return;
    }
    PyObject *name = PyUnicode_FromString(shortname);
    PyObject *path = name == NULL ? NULL : PyUnicode_DecodeFSDefault(pathname);
    if (path != NULL) {
        PyErr_SetImportError(message, name, path);
    }
    Py_XDECREF(path);
    Py_XDECREF(name);
    Py_DECREF(message);
}


/* libc keeps the working directory of a WASI program; the host does not know
   it, so it is given absolute paths only.  To be freed with PyMem_Free. */
static char *
absolute_path(const char *pathname)
{
    char *directory = NULL;
    if (pathname[0] != '/') {
        directory = getcwd(NULL, 0);
        if (directory == NULL) {
            PyErr_SetFromErrno(PyExc_OSError);
            return NULL;
        }
    }
    /* `/` already ends in the slash that goes between. */
    int nested = directory != NULL && strcmp(directory, "/") != 0;
    size_t size = (nested ? strlen(directory) : 0) + strlen(pathname) + 2;
    char *path = PyMem_Malloc(size);
    if (path == NULL) {
        PyErr_NoMemory();
    }
    else {
        PyOS_snprintf(path, size, "%s%s%s", nested ? directory : "",
                      directory ? "/" : "", pathname);
    }
    free(directory);  // from malloc(), says getcwd()
    return path;
}


/* The function `symbol` of a loaded module.  Without it the import system has
   no use for the module: the handle is given back and ImportError raised. */
static dl_funcptr
find_or_close(uint32_t handle, PyObject *symbol,
              const char *shortname, const char *pathname)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(symbol, &length);
    void *slot = NULL;
    if (text != NULL && pymode_dl_sym(handle, text, length, &slot) == 0) {
        return (dl_funcptr)slot;
    }
    PyObject *lead = text == NULL ? NULL : PyUnicode_FromFormat(
        "dynamic module does not define module export function (%U)", symbol);
    if (lead != NULL) {
        raise_import_error(lead, shortname, pathname);
        Py_DECREF(lead);
    }
    pymode_dl_close(handle);
    return NULL;
}


/* `fp` is not used: the host opens the file itself, by its path. */
dl_funcptr
_PyImport_FindSharedFuncptr(const char *prefix, const char *shortname,
                            const char *pathname, FILE *Py_UNUSED(fp))
{
    PyObject *symbol = PyUnicode_FromFormat("%s_%s", prefix, shortname);
    char *path = symbol == NULL ? NULL : absolute_path(pathname);
    dl_funcptr function = NULL;
    if (path != NULL) {
        int flags = _PyImport_GetDLOpenFlags(_PyInterpreterState_GET());
        if (!(flags & RTLD_GLOBAL)) {
            flags |= RTLD_LOCAL;  // which is a bit of its own on WASI
        }
        /* Runs the constructors of the module, which may import in turn. */
        uint32_t handle = pymode_dl_open(path, strlen(path), flags);
        if (handle != 0) {
            function = find_or_close(handle, symbol, shortname, path);
        }
        else {
            raise_import_error(NULL, shortname, path);
        }
    }
    PyMem_Free(path);
    Py_XDECREF(symbol);
    return function;
}
