/* The working directory of the guest.
 *
 * WASI has none: libc keeps one for itself and begins at `/`.  The host tells
 * through PWD, as a shell would, where the guest is to begin; this must have
 * happened before main() looks at a relative path, hence a constructor.
 * A directory that cannot be entered leaves the guest at `/`.
 */

#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor))
static void
enter_working_directory(void)
{
    const char *directory = getenv("PWD");
    if (directory != NULL && directory[0] == '/') {
        (void)chdir(directory);
    }
}
