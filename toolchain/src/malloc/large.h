/* Blocks of any size, from dlmalloc, which splits and joins free blocks and
 * takes the best fit.
 *
 * dlmalloc.c is included unchanged.  This file adds a source of memory that
 * tolerates other callers of memory.grow, a calloc that leaves fresh memory
 * alone, and a realloc that grows the last block together with the memory.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PAGE ((size_t)65536)
/* The last page is never used, so that the end of the memory is an address. */
#define MAX_PAGES ((size_t)65535)
#define NO_CORE ((void *)-1)

extern unsigned char __heap_base;

static struct {
    uintptr_t next; /* the first byte that dlmalloc does not have yet */
    uintptr_t end;  /* the end of the memory that it may have */
} core;

/* sbrk() for dlmalloc.  After another caller has grown the memory, the result
   does not follow the previous one: dlmalloc then starts a new segment. */
static void *
more_core(ptrdiff_t increment)
{
    if (core.end == 0) {
        size_t pages = __builtin_wasm_memory_size(0);
        core.next = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
        core.end = (pages < MAX_PAGES ? pages : MAX_PAGES) * PAGE;
    }
    if (increment < 0) {
        /* dlmalloc returns the last piece unused. */
        core.next += (size_t)increment;
        return (void *)core.next;
    }
    size_t wanted = (size_t)increment;
    if (wanted > core.end - core.next) {
        size_t first = __builtin_wasm_memory_size(0);
        bool follows = first * PAGE == core.end;
        size_t missing = follows ? wanted - (core.end - core.next) : wanted;
        size_t pages = (missing + PAGE - 1) / PAGE;
        if (pages > MAX_PAGES - first || __builtin_wasm_memory_grow(0, pages) != first) {
            return NO_CORE;
        }
        if (!follows) {
            core.next = first * PAGE;
        }
        core.end = (first + pages) * PAGE;
    }
    void *start = (void *)core.next;
    core.next += wanted;
    return start;
}

#define USE_DL_PREFIX 1
#define DLMALLOC_EXPORT static
#define MALLOC_ALIGNMENT ((size_t)16)
#define HAVE_MMAP 0
#define MORECORE more_core
#define MORECORE_CANNOT_TRIM 1
#define malloc_getpagesize PAGE
#define NO_MALLINFO 1
#define NO_MALLOC_STATS 1
#define LACKS_TIME_H 1
#define LACKS_STRINGS_H 1
#define USE_BUILTIN_FFS 1
#define ffs __builtin_ffs
#include "dlmalloc.c"
#undef ffs

/* Pointers into a larger block could not be subtracted. */
static bool
is_too_large(size_t size)
{
    if (size <= PTRDIFF_MAX) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

/* After one failure dlmalloc takes memory for discontiguous, and from then on
   asks for a whole block even if the top of the heap holds most of it. */
static void *
checked(void *block)
{
    if (block == NULL) {
        gm->mflags &= ~USE_NONCONTIGUOUS_BIT;
    }
    return block;
}

static void *
large_malloc(size_t size)
{
    return is_too_large(size) ? NULL : checked(dlmalloc(size));
}

static void *
large_memalign(size_t alignment, size_t size)
{
    if (is_too_large(alignment) || is_too_large(size)) {
        return NULL;
    }
    return checked(dlmemalign(alignment, size));
}

static void
large_free(void *block)
{
    dlfree(block);
}

static size_t
large_size(void *block)
{
    return dlmalloc_usable_size(block);
}

/* Memory that dlmalloc did not have before the call is zero already. */
static void *
large_calloc(size_t size)
{
    uintptr_t fresh = (uintptr_t)more_core(0);
    char *block = large_malloc(size);
    if (block != NULL && (uintptr_t)block < fresh) {
        size_t used = fresh - (uintptr_t)block;
        memset(block, 0, size < used ? size : used);
    }
    return block;
}

/* Grows a block into the free block behind it.  The last block grows with the
   memory. */
static bool
grows_in_place(void *block, size_t size)
{
    if (dlrealloc_in_place(block, size) != NULL) {
        return true;
    }
    mchunkptr chunk = mem2chunk(block);
    if (next_chunk(chunk) != gm->top) {
        return false;
    }
    void *behind = sys_alloc(gm, request2size(size) - chunksize(chunk));
    if (checked(behind) == NULL) {
        return false;
    }
    dlfree(behind);
    return dlrealloc_in_place(block, size) != NULL;
}

static void *
large_realloc(void *block, size_t size)
{
    if (is_too_large(size)) {
        return NULL;
    }
    if (grows_in_place(block, size)) {
        return block;
    }
    size_t old = large_size(block);
    void *moved = large_malloc(size);
    if (moved != NULL) {
        memcpy(moved, block, old < size ? old : size);
        dlfree(block);
    }
    return moved;
}
