/* The entry points of a persistent interpreter: instead of `_start`, the host
 * calls pymode_initialise() once, and then pymode_serve() for each request.
 *
 * Between two calls the stacks are empty, so that a copy of the memory is a
 * complete snapshot.  The host's module `_handler` has a function for each call.
 * Both return 0 if the interpreter can serve another request.
 */

#include "runtime.h"

/* Constructors of C and C++, which `_start` would call. */
void __wasm_call_ctors(void);

static PyObject *handler;

/* The thread state of main between two calls, when other threads may hold the
   GIL. */
static PyThreadState *main_state;

/* Returns the function's result, or 1 if it raised: its traceback is then on
   the standard error. */
static int
call(const char *name)
{
    PyObject *result = PyObject_CallMethod(handler, name, NULL);
    long answer = result == NULL ? -1 : PyLong_AsLong(result);
    Py_XDECREF(result);
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(handler);
        answer = 1;
    }
    // What C code printed belongs to this request's log.
    (void)fflush(NULL);
    return answer != 0;
}

/* Other threads may have run since the host was here.  Each call begins on the
   stack of the first one, before any C code runs, and as the main thread. */
#define ENTRY(name, function, keep)                                            \
    __asm__(".globaltype __stack_pointer, i32\n"                               \
            ".functype pymode_enter_main () -> ()\n"                           \
            ".functype pymode_leave_main () -> ()\n"                           \
            ".functype " function " () -> (i32)\n"                             \
            ".section .text." name ",\"\",@\n"                                 \
            ".globl " name "\n"                                                \
            ".type " name ",@function\n" name ":\n"                            \
            "    .functype " name " () -> (i32)\n" keep                        \
            "    call pymode_enter_main\n"                                     \
            "    call " function "\n"                                          \
            "    call pymode_leave_main\n"                                     \
            "    end_function\n")

/* The stack pointer between two calls. */
__attribute__((visibility("hidden"))) uint32_t pymode_main_stack;

ENTRY("pymode_initialise", "initialise",
      "    i32.const pymode_main_stack\n"
      "    global.get __stack_pointer\n"
      "    i32.store 0\n");
ENTRY("pymode_serve", "serve",
      "    i32.const pymode_main_stack\n"
      "    i32.load 0\n"
      "    global.set __stack_pointer\n");

/* Returns 1 if the handler cannot serve.  Ends the program if the interpreter
   does not start. */
__attribute__((used, visibility("hidden"))) int
initialise(void)
{
    __wasm_call_ctors();
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    // It looks for installed packages; the host sets the path instead.
    config.site_import = 0;
    PyStatus status = pymode_start(&config);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    handler = PyImport_ImportModule("_handler");
    int failed = 1;
    if (handler == NULL) {
        PyErr_WriteUnraisable(NULL);
    }
    else {
        failed = call("initialise");
    }
    main_state = PyEval_SaveThread();
    return failed;
}

/* Answers one request.  Returns 1 if the interpreter must not be entered
   again. */
__attribute__((used, visibility("hidden"))) int
serve(void)
{
    if (handler == NULL) {
        return 1;
    }
    PyEval_RestoreThread(main_state);
    int failed = call("serve");
    main_state = PyEval_SaveThread();
    return failed;
}
