/* What libc++ calls because zig's headers promise it, and WASI's libc lacks.
 * Included before each of its sources; defined in wasi.c. */

#include <sys/types.h>

#ifdef __cplusplus
extern "C"
#endif
ssize_t
copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t length, unsigned flags);
