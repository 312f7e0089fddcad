/* malloc and its kin, for all modules of a process: instead of libc's, which
 * has powers of two and never joins what was freed.
 *
 * All that libc defines in the same object is defined here: two allocators in
 * one memory would be one too many.
 *
 * A block is aligned to 16 bytes if it has more than 128, or a multiple of 16;
 * so is each object whose type wants it.  Others are aligned to 8 bytes.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <malloc.h>

#include "large.h"
#include "small.h"

/* From here on a block is worth a look at the slabs that are kept. */
#define LARGE ((size_t)65536)

/* The second try of what found no memory, after all that is kept is free. */
#define WITHOUT_SPARES(try)                  \
    ({                                       \
        void *found_ = (try);                \
        if (found_ == NULL && spares != 0) { \
            release_spares();                \
            found_ = (try);                  \
        }                                    \
        found_;                              \
    })

static void
make_room(size_t size)
{
    if (size >= LARGE && spares != 0) {
        release_spares();
    }
}

void *
malloc(size_t size)
{
    if (size <= SMALL_MAX) {
        return small_malloc(size);
    }
    make_room(size);
    return WITHOUT_SPARES(large_malloc(size));
}

void
free(void *block)
{
    if (block == NULL) {
        return;
    }
    if (in_slab(block)) {
        small_free(block);
    }
    else {
        large_free(block);
    }
}

void *
calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    if (bytes <= SMALL_MAX) {
        void *block = small_malloc(bytes);
        return block == NULL ? NULL : memset(block, 0, bytes);
    }
    make_room(bytes);
    return WITHOUT_SPARES(large_calloc(bytes));
}

static void *
realloc_small(void *block, size_t size)
{
    size_t old = small_size(block);
    if (size <= SMALL_MAX && kind_of(size) == slab_of(block)->kind) {
        return block;
    }
    void *moved = malloc(size);
    if (moved != NULL) {
        memcpy(moved, block, old < size ? old : size);
        small_free(block);
    }
    return moved;
}

/* Of no bytes it frees the block, as glibc does. */
void *
realloc(void *block, size_t size)
{
    if (block == NULL) {
        return malloc(size);
    }
    if (size == 0) {
        free(block);
        return NULL;
    }
    if (in_slab(block)) {
        return realloc_small(block, size);
    }
    make_room(size);
    return WITHOUT_SPARES(large_realloc(block, size));
}

void *
reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

size_t
malloc_usable_size(void *block)
{
    if (block == NULL) {
        return 0;
    }
    return in_slab(block) ? small_size(block) : large_size(block);
}

/* The alignment is a power of two. */
static void *
aligned(size_t alignment, size_t size)
{
    if (alignment <= 8) {
        return malloc(size);
    }
    if (alignment <= MALLOC_ALIGNMENT && size <= PTRDIFF_MAX) {
        return malloc(size == 0 ? MALLOC_ALIGNMENT : (size + 15) & ~(size_t)15);
    }
    make_room(size);
    return WITHOUT_SPARES(large_memalign(alignment, size));
}

static bool
is_power_of_two(size_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

void *
aligned_alloc(size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return aligned(alignment, size);
}

void *
memalign(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

void *
valloc(size_t size)
{
    return aligned(PAGE, size);
}

/* Says what is wrong by what it returns, and leaves errno alone. */
int
posix_memalign(void **result, size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment) || alignment < sizeof(void *)) {
        return EINVAL;
    }
    int before = errno;
    void *block = aligned(alignment, size);
    errno = before;
    if (block == NULL) {
        return ENOMEM;
    }
    *result = block;
    return 0;
}
