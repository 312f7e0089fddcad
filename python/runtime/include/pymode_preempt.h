/* Lets other threads run while Python computes.
 *
 * The eval loop has a place for Emscripten's signals, which it passes at each
 * call and each jump back.  This header comes before CPython's own of that name
 * (`-include`, for ceval.c only) and has it count down instead.
 */

#define Py_EMSCRIPTEN_SIGNAL_H

#define _Py_CHECK_EMSCRIPTEN_SIGNALS()

extern int pymode_eval_countdown;

void pymode_preempt(void);

#define _Py_CHECK_EMSCRIPTEN_SIGNALS_PERIODICALLY()                            \
    do {                                                                       \
        if (--pymode_eval_countdown < 0) {                                     \
            pymode_preempt();                                                  \
        }                                                                      \
    } while (0)
