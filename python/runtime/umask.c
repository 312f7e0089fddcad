/* The mask of the modes of new files.
 *
 * WASI's files have no modes, so there is nothing to be masked.  Programs set
 * the mask and set it back; they find what they have set.
 */

#include <sys/stat.h>

mode_t
umask(mode_t mask)
{
    static mode_t current = S_IWGRP | S_IWOTH;
    mode_t before = current;
    current = mask & (S_IRWXU | S_IRWXG | S_IRWXO);
    return before;
}
