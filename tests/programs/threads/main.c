/* What POSIX says about threads.  Every line is the same whoever runs first. */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void
tell(const char *what, int error)
{
    printf("%s: %s\n", what, error == 0 ? "0" : strerror(error));
}

static int
elapsed_at_least(const struct timespec *start, long milliseconds)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long passed = (now.tv_sec - start->tv_sec) * 1000
                  + (now.tv_nsec - start->tv_nsec) / 1000000;
    return passed >= milliseconds;
}

static struct timespec
after(clockid_t clock, long milliseconds)
{
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += milliseconds * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static void *
twice(void *value)
{
    return (void *)((long)value * 2);
}

static void *
exits(void *value)
{
    pthread_exit((char *)value + 1);
}

static void
life(void)
{
    pthread_t thread;
    void *result;
    tell("create", pthread_create(&thread, NULL, twice, (void *)21L));
    tell("join", pthread_join(thread, &result));
    printf("result: %ld\n", (long)result);
    pthread_create(&thread, NULL, exits, (void *)6L);
    pthread_join(thread, &result);
    printf("exit: %ld\n", (long)result);
    tell("join itself", pthread_join(pthread_self(), NULL));
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 20);
    tell("large stack", pthread_create(&thread, &attributes, twice, NULL));
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    long sum = 0;
    for (int round = 0; round < 100; round++) {
        pthread_t many[10];
        for (long i = 0; i < 10; i++) {
            pthread_create(&many[i], NULL, twice, (void *)i);
        }
        for (int i = 0; i < 10; i++) {
            pthread_join(many[i], &result);
            sum += (long)result;
        }
    }
    printf("sum: %ld\n", sum);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int turn;
static long turns;

static void *
take_turns(void *value)
{
    int me = (int)(long)value;
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != me) {
            pthread_cond_wait(&cond, &mutex);
        }
        turn = (me + 1) % 3;
        turns++;
        pthread_cond_broadcast(&cond);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *
try_lock(void *value)
{
    struct timespec soon = after(CLOCK_REALTIME, 20);
    tell("trylock", pthread_mutex_trylock(value));
    tell("timedlock", pthread_mutex_timedlock(value, &soon));
    return NULL;
}

static void
mutexes(void)
{
    pthread_t threads[3];
    for (long i = 0; i < 3; i++) {
        pthread_create(&threads[i], NULL, take_turns, (void *)i);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("turns: %ld\n", turns);
    pthread_mutex_lock(&mutex);
    pthread_create(&threads[0], NULL, try_lock, &mutex);
    pthread_join(threads[0], NULL);
    pthread_mutex_unlock(&mutex);
    int types[] = {PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_RECURSIVE};
    for (int i = 0; i < 2; i++) {
        pthread_mutexattr_t attributes;
        pthread_mutex_t typed;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, types[i]);
        pthread_mutex_init(&typed, &attributes);
        tell("unlock", pthread_mutex_unlock(&typed));
        tell("lock", pthread_mutex_lock(&typed));
        tell("lock again", pthread_mutex_lock(&typed));
        tell("unlock", pthread_mutex_unlock(&typed));
        tell("unlock again", pthread_mutex_unlock(&typed));
        pthread_mutex_destroy(&typed);
    }
}

static void
conditions(void)
{
    clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    for (int i = 0; i < 2; i++) {
        pthread_condattr_t attributes;
        pthread_cond_t clocked;
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, clocks[i]);
        pthread_cond_init(&clocked, &attributes);
        struct timespec start, until = after(clocks[i], 30);
        clock_gettime(CLOCK_MONOTONIC, &start);
        pthread_mutex_lock(&mutex);
        tell("timedwait", pthread_cond_timedwait(&clocked, &mutex, &until));
        pthread_mutex_unlock(&mutex);
        printf("in time: %d\n", elapsed_at_least(&start, 25));
        struct timespec wrong = {0, 1000000000};
        pthread_mutex_lock(&mutex);
        tell("wrong time", pthread_cond_timedwait(&clocked, &mutex, &wrong));
        pthread_mutex_unlock(&mutex);
        pthread_cond_destroy(&clocked);
    }
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *
from_elsewhere(void *value)
{
    (void)value;
    int read = pthread_rwlock_tryrdlock(&rwlock);
    tell("tryrdlock", read);
    if (read == 0) {
        pthread_rwlock_unlock(&rwlock);
    }
    tell("trywrlock", pthread_rwlock_trywrlock(&rwlock));
    struct timespec soon = after(CLOCK_REALTIME, 10);
    tell("timedwrlock", pthread_rwlock_timedwrlock(&rwlock, &soon));
    return NULL;
}

static void
rwlocks(void)
{
    pthread_t thread;
    pthread_rwlock_rdlock(&rwlock);
    pthread_create(&thread, NULL, from_elsewhere, NULL);
    pthread_join(thread, NULL);
    pthread_rwlock_unlock(&rwlock);
    pthread_rwlock_wrlock(&rwlock);
    pthread_create(&thread, NULL, from_elsewhere, NULL);
    pthread_join(thread, NULL);
    pthread_rwlock_unlock(&rwlock);
}

static pthread_barrier_t barrier;
static int serial;

static void *
meet(void *value)
{
    for (int i = 0; i < 50; i++) {
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
            serial++;
        }
        pthread_barrier_wait(&barrier);
    }
    return value;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int done;

static void
do_once(void)
{
    usleep(5000);
    done++;
}

static void *
call_once(void *value)
{
    pthread_once(&once, do_once);
    return done == 1 ? value : NULL;
}

static void
meetings(void)
{
    pthread_t threads[4];
    void *result;
    tell("no threads", pthread_barrier_init(&barrier, NULL, 0));
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, meet, NULL);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("serial: %d\n", serial);
    int right = 0;
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, call_once, &right);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &result);
        right += result != NULL;
    }
    printf("once: %d, seen by %d\n", done, right);
}

static pthread_key_t key, second;

static void
destroy(void *value)
{
    printf("destroyed: %s\n", (char *)value);
    if (strcmp(value, "first") == 0) {
        pthread_setspecific(second, "second");
    }
}

static void *
set_key(void *value)
{
    printf("before: %d\n", pthread_getspecific(key) == NULL);
    pthread_setspecific(key, value);
    errno = 77;
    sched_yield();
    printf("errno: %d\n", errno);
    return pthread_getspecific(key);
}

static void
keys(void)
{
    pthread_t thread;
    pthread_key_create(&key, destroy);
    pthread_key_create(&second, destroy);
    pthread_setspecific(key, "main's");
    errno = 5;
    pthread_create(&thread, NULL, set_key, "first");
    pthread_join(thread, NULL);
    printf("main: %s, %d\n", (char *)pthread_getspecific(key), errno);
    pthread_key_delete(key);
    tell("deleted", pthread_setspecific(key, "x"));
}

static sem_t items, slots;
static long produced, consumed;

static void *
produce(void *value)
{
    for (int i = 0; i < 500; i++) {
        sem_wait(&slots);
        produced += i;
        sem_post(&items);
    }
    return value;
}

static void *
consume(void *value)
{
    for (int i = 0; i < 500; i++) {
        sem_wait(&items);
        consumed += i;
        sem_post(&slots);
    }
    return value;
}

static void
semaphores(void)
{
    pthread_t one, other;
    int value;
    sem_init(&items, 0, 0);
    sem_init(&slots, 0, 3);
    pthread_create(&one, NULL, consume, NULL);
    pthread_create(&other, NULL, produce, NULL);
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    sem_getvalue(&slots, &value);
    printf("produced %ld, consumed %ld, slots %d\n", produced, consumed, value);
    tell("trywait", sem_trywait(&items) == 0 ? 0 : errno);
    struct timespec soon = after(CLOCK_REALTIME, 10);
    tell("timedwait", sem_timedwait(&items, &soon) == 0 ? 0 : errno);
}

static void *
sleep_and_tell(void *value)
{
    usleep((useconds_t)(long)value * 40000);
    printf("slept %ld\n", (long)value);
    return NULL;
}

/* Each thread jumps on its own stack while others run in between. */
static void *
jump(void *value)
{
    jmp_buf place;
    volatile long count = 0;
    int from = setjmp(place);
    sched_yield();
    if (from != 0 && from != (int)(long)value) {
        return (void *)-1L;
    }
    if (++count < 1000) {
        longjmp(place, (int)(long)value);
    }
    return (void *)(long)count;
}

static void
stacks(void)
{
    pthread_t threads[4];
    for (long i = 4; i > 0; i--) {
        pthread_create(&threads[i - 1], NULL, sleep_and_tell, (void *)i);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    long jumps = 0;
    for (long i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, jump, (void *)(i + 1));
    }
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        jumps += (long)result;
    }
    printf("jumps: %ld\n", jumps);
}

static void *
last(void *value)
{
    usleep(20000);
    printf("the last thread\n");
    return value;
}

int
main(void)
{
    life();
    mutexes();
    conditions();
    rwlocks();
    meetings();
    keys();
    semaphores();
    stacks();
    pthread_t thread;
    pthread_create(&thread, NULL, last, NULL);
    pthread_detach(thread);
    /* The process ends with its last thread. */
    pthread_exit(NULL);
}
