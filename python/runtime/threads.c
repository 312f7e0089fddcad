/* What threads of Python need from the thread library besides POSIX. */

#define Py_BUILD_CORE 1

#include "runtime.h"

#include "pycore_ceval.h"
#include "pycore_import.h"
#include "pycore_interp.h"
#include "pycore_pystate.h"
#include "pycore_traceback.h"

#include <pymode_thread.h>
#include <time.h>
#include <unistd.h>

/* Each thread has its own thread state. */
__attribute__((constructor)) static void
register_locals(void)
{
    (void)pymode_thread_local(&_Py_tss_tstate, sizeof(_Py_tss_tstate));
}

/* The package whose extension module is being initialised: a static variable of
   import.c, which only this function reaches. */
const void *
pymode_swap_language_state(const void *next)
{
    return _PyImport_SwapPackageContext(next);
}

/* About a third of a millisecond of the eval loop. */
#define PERIOD 1000

/* Workers' clocks stand still while the guest computes: then as many periods
   are a turn. */
#define PERIODS_IN_A_TURN 30

int pymode_eval_countdown = PERIOD;

static uint64_t
now_in_microseconds(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* Called by the eval loop at a place where it may lose the GIL. */
void
pymode_preempt(void)
{
    static uint64_t turn_began;
    static int periods;
    pymode_eval_countdown = PERIOD;
    if (!pymode_thread_others()) {
        return;
    }
    uint64_t now = now_in_microseconds();
    if (now - turn_began < _PyEval_GetSwitchInterval()
        && ++periods < PERIODS_IN_A_TURN) {
        return;
    }
    PyThreadState *state = PyEval_SaveThread();
    pymode_thread_yield();
    PyEval_RestoreThread(state);
    turn_began = now_in_microseconds();
    periods = 0;
}

/* A thread that wants the GIL when the interpreter is gone must never return,
   and ending it would run destructors of C++ that want it, too. */
_Noreturn void
__wrap_PyThread_exit_thread(void)
{
    pymode_thread_stop();
}

/* Set until the exception was raised that says so. */
static bool deadlock_is_reported;

static int
raise_deadlock(void *Py_UNUSED(unused))
{
    deadlock_is_reported = false;
    PyErr_SetString(PyExc_RuntimeError,
                    "deadlock: every thread waits for another one");
    return -1;
}

/* All threads wait, and this one parked last.  A wait that Python can interrupt
   raises; of others nothing could be said but where they are. */
int
pymode_thread_deadlock(void)
{
    PyThreadState *state = _Py_tss_tstate;
    if (state == NULL) {
        state = PyGILState_GetThisThreadState();
    }
    if (state == NULL || state->interp == NULL) {
        return 0;
    }
    if (!deadlock_is_reported
        && _PyEval_AddPendingCall(state->interp, raise_deadlock, NULL, 0)
               == _Py_ADD_PENDING_SUCCESS) {
        deadlock_is_reported = true;
        return 1;
    }
    static const char text[] =
        "Fatal Python error: deadlock: every thread waits for another one\n";
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)_Py_DumpTracebackThreads(STDERR_FILENO, state->interp, state);
    _exit(1);
}
