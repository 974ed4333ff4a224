// Of a pthread_mutex_t.
#define LOCK_WORD 0
#define COUNT     4
#define OWNER     8
#define USERS     12
#define KIND      16
#define PREV      24
#define NEXT      32

// Of its lock, unless it is robust: held, and somebody may sleep.
#define CONTENDED 2

// Of its kind.
#define RECURSIVE 1
#define SHARED    128

#define FUTEX      202
#define FUTEX_WAKE 1
