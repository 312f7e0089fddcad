/* Calls of the host during which other threads may run. */

#ifndef PYMODE_RESTORING_H
#define PYMODE_RESTORING_H

#include "threads.h"

/* The host returns on this thread's stack, but with the shadow stack of the one
   that ran last: no C code may run before the pointer is restored. */
#define RESTORING(here, import, module, name, parameters, count, gets)                 \
    __asm__(".globaltype __stack_pointer, i32\n"                               \
            ".functype " import " " parameters " -> (i32)\n"                   \
            ".import_module " import ", " module "\n"                        \
            ".import_name " import ", " name "\n"                              \
            ".section .text." here ",\"\",@\n"                                 \
            ".hidden " here "\n"                                               \
            ".globl " here "\n"                                                \
            ".type " here ",@function\n" here ":\n"                            \
            "    .functype " here " " parameters " -> (i32)\n"                 \
            "    .local i32\n"                                                 \
            "    global.get __stack_pointer\n"                                 \
            "    local.set " count "\n" gets "    call " import "\n"           \
            "    local.get " count "\n"                                        \
            "    global.set __stack_pointer\n"                                 \
            "    end_function\n")

#define GET_1 "    local.get 0\n"
#define GET_3 GET_1 "    local.get 1\n    local.get 2\n"
#define GET_4 GET_3 "    local.get 3\n"

/* Before such a call. Returns the current thread, for the function below. */
struct __pthread *pymode_leave(void);

/* After it. */
void pymode_return_to(struct __pthread *self);

#endif
