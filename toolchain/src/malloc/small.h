/* Small blocks without headers: a slab holds blocks of one size.
 *
 * A block of 24 bytes takes 24 bytes; dlmalloc spends 32.  A slab is one block
 * of dlmalloc, and is freed when all of its blocks are.  A bitmap of the address
 * space marks the slabs.
 */

#define SMALL_MAX ((size_t)512)
#define SLAB ((size_t)16384)
/* dlmalloc's header takes the other four, so slabs can be adjacent. */
#define SLAB_SIZE (SLAB - sizeof(size_t))
/* Bytes of a slab that become free blocks at a time. */
#define PORTION ((size_t)1024)

struct block {
    struct block *next;
};

struct slab {
    struct block *free;
    uint16_t used;  /* number of blocks in use */
    bool listed;    /* is in the list of its kind */
    struct kind *kind;
    struct slab *newer; /* in the list */
    struct slab *older;
    uint32_t size;  /* of each block */
    uint32_t fresh; /* offset of the first block that was never used */
    /* A block whose size is a multiple of 16 begins at one. */
    _Alignas(16) char blocks[];
};

/* The slabs for blocks of one size. */
struct kind {
    struct slab *newest; /* list of the slabs that may have a free block */
    struct slab *spare;  /* kept when it became empty, or NULL */
};

/* Sizes are multiples of 8 up to 128, of 16 up to 256, of 32 up to 512.  From
   64 bytes on, at most an eighth of a block is lost. */
#define KINDS 32

static struct kind kinds[KINDS];

static unsigned spares;

static uint32_t slab_bits[((size_t)1 << 18) / 32];

static uint32_t *
bits_of(const void *address)
{
    return &slab_bits[(uintptr_t)address / SLAB / 32];
}

static uint32_t
bit_of(const void *address)
{
    return (uint32_t)1 << ((uintptr_t)address / SLAB % 32);
}

static bool
in_slab(const void *block)
{
    return (*bits_of(block) & bit_of(block)) != 0;
}

static struct slab *
slab_of(const void *block)
{
    return (struct slab *)((uintptr_t)block & ~(SLAB - 1));
}

static size_t
small_size(const void *block)
{
    return slab_of(block)->size;
}

static struct kind *
kind_of(size_t size)
{
    if (size <= 128) {
        return &kinds[(size - (size != 0)) / 8];
    }
    if (size <= 256) {
        return &kinds[16 + (size - 129) / 16];
    }
    return &kinds[24 + (size - 257) / 32];
}

static uint32_t
size_of(const struct kind *kind)
{
    uint32_t i = (uint32_t)(kind - kinds) + 1;
    return i <= 16 ? i * 8 : i <= 24 ? 128 + (i - 16) * 16 : 256 + (i - 24) * 32;
}

static void
list(struct slab *slab)
{
    slab->listed = true;
    slab->newer = NULL;
    slab->older = slab->kind->newest;
    if (slab->older != NULL) {
        slab->older->newer = slab;
    }
    slab->kind->newest = slab;
}

static void
unlist(struct slab *slab)
{
    slab->listed = false;
    if (slab->newer != NULL) {
        slab->newer->older = slab->older;
    }
    else {
        slab->kind->newest = slab->older;
    }
    if (slab->older != NULL) {
        slab->older->newer = slab->newer;
    }
}

static void
release(struct slab *slab)
{
    *bits_of(slab) &= ~bit_of(slab);
    large_free(slab);
}

/* Frees the spare slabs, which would split large free blocks. */
static void
release_spares(void)
{
    for (size_t i = 0; spares != 0; i++) {
        if (kinds[i].spare != NULL) {
            release(kinds[i].spare);
            kinds[i].spare = NULL;
            spares--;
        }
    }
}

static struct slab *
new_slab(void)
{
    /* The best fit is usually aligned: it is a former slab, or follows one. */
    void *memory = large_malloc(SLAB_SIZE);
    if (memory != NULL && (uintptr_t)memory % SLAB != 0) {
        large_free(memory);
        memory = large_memalign(SLAB, SLAB_SIZE);
    }
    if (memory == NULL && spares != 0) {
        release_spares();
        memory = large_memalign(SLAB, SLAB_SIZE);
    }
    if (memory != NULL) {
        *bits_of(memory) |= bit_of(memory);
    }
    return memory;
}

/* Adds an empty slab to the list.  NULL without memory. */
static struct slab *
another_slab(struct kind *kind)
{
    struct slab *slab = kind->spare;
    if (slab != NULL) {
        kind->spare = NULL;
        spares--;
    }
    else {
        slab = new_slab();
        if (slab == NULL) {
            return NULL;
        }
        slab->kind = kind;
        slab->size = size_of(kind);
    }
    slab->free = NULL;
    slab->used = 0;
    slab->fresh = offsetof(struct slab, blocks);
    list(slab);
    return slab;
}

/* Makes free blocks of a portion that was never used, in address order. */
static void
carve(struct slab *slab)
{
    struct block **end = &slab->free;
    size_t limit = slab->fresh + PORTION;
    while (slab->fresh + slab->size <= SLAB_SIZE && slab->fresh < limit) {
        struct block *block = (struct block *)((char *)slab + slab->fresh);
        slab->fresh += slab->size;
        *end = block;
        end = &block->next;
    }
    *end = NULL;
}

/* A slab with a free block.  NULL without memory. */
__attribute__((noinline))
static struct slab *
slab_with_block(struct kind *kind)
{
    for (;;) {
        struct slab *slab = kind->newest;
        if (slab == NULL) {
            slab = another_slab(kind);
        }
        if (slab == NULL) {
            return NULL;
        }
        if (slab->free == NULL) {
            carve(slab);
        }
        if (slab->free != NULL) {
            return slab;
        }
        unlist(slab);
    }
}

static void *
small_malloc(size_t size)
{
    struct kind *kind = kind_of(size);
    struct slab *slab = kind->newest;
    if (slab == NULL || slab->free == NULL) {
        slab = slab_with_block(kind);
        if (slab == NULL) {
            return NULL;
        }
    }
    struct block *block = slab->free;
    slab->free = block->next;
    slab->used++;
    return block;
}

/* After a block of a full slab was freed, or the last block of any. */
__attribute__((noinline))
static void
settle(struct slab *slab)
{
    if (slab->used != 0) {
        list(slab);
        return;
    }
    if (slab->listed) {
        unlist(slab);
    }
    if (slab->kind->spare == NULL) {
        slab->kind->spare = slab;
        spares++;
    }
    else {
        release(slab);
    }
}

static void
small_free(void *address)
{
    struct block *block = address;
    struct slab *slab = slab_of(block);
    block->next = slab->free;
    slab->free = block;
    slab->used--;
    if (slab->used == 0 || !slab->listed) {
        settle(slab);
    }
}
