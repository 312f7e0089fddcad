/* Blocks of any size, by dlmalloc: it splits, joins, and takes the best fit.
 *
 * dlmalloc.c is included as it is.  Added here are memory that only grows, and
 * that others may grow too; zeros that need not be written; and a last block
 * that grows with the memory.
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
    uintptr_t next; /* the first byte that nobody has been given yet */
    uintptr_t end;  /* the end of what belongs to us from there on */
} core;

/* To grow the memory costs 0.1 to 0.3 ms in V8, however little it grows. */
#define MIN_GROWTH ((size_t)16)

/* Grows the memory by as many pages or more.  The first new page, or
   MAX_PAGES when there is no memory left. */
static size_t
grow(size_t pages, size_t *got)
{
    size_t ahead = __builtin_wasm_memory_size(0) / 16;
    size_t wishes[] = {
        pages + (ahead > MIN_GROWTH ? ahead : MIN_GROWTH),
        pages,
    };
    for (size_t i = 0; i < 2; i++) {
        if (wishes[i] > MAX_PAGES - __builtin_wasm_memory_size(0)) {
            continue;
        }
        size_t first = __builtin_wasm_memory_grow(0, wishes[i]);
        if (first != SIZE_MAX) {
            *got = wishes[i];
            return first;
        }
    }
    return MAX_PAGES;
}

/* sbrk() for dlmalloc.  When somebody else has grown the memory meanwhile,
   what it returns does not follow what it returned before. */
static void *
more_core(ptrdiff_t increment)
{
    if (core.end == 0) {
        size_t pages = __builtin_wasm_memory_size(0);
        core.next = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
        core.end = (pages < MAX_PAGES ? pages : MAX_PAGES) * PAGE;
    }
    if (increment < 0) {
        /* It was taken a moment ago, and cannot be used. */
        core.next += (size_t)increment;
        return (void *)core.next;
    }
    size_t wanted = (size_t)increment;
    if (wanted > core.end - core.next) {
        bool follows = __builtin_wasm_memory_size(0) * PAGE == core.end;
        size_t missing = follows ? wanted - (core.end - core.next) : wanted;
        size_t got;
        size_t first = grow((missing + PAGE - 1) / PAGE, &got);
        if (first == MAX_PAGES) {
            return NO_CORE;
        }
        if (!follows) {
            core.next = first * PAGE;
        }
        core.end = (first + got) * PAGE;
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

/* What a block of more than PTRDIFF_MAX bytes would be, nobody can subtract. */
static bool
is_too_large(size_t size)
{
    if (size <= PTRDIFF_MAX) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

/* dlmalloc takes one failure for the end of contiguous memory, and would from
   then on ask for a whole block where it has half of it already. */
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

/* Memory that nobody has been given yet is zero, and stays untouched. */
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

/* Makes the block larger where it is, or NULL: into what is free behind it,
   and the last block of all with the memory. */
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
