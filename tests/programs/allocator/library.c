/* The allocator as a library knows it. */

#include <malloc.h>
#include <stdlib.h>

void *reallocarray(void *block, size_t count, size_t size);

void *const functions[] = {
    malloc, calloc, realloc, reallocarray, free, aligned_alloc, posix_memalign, malloc_usable_size,
};
