#include <malloc.h>

/* A constructor runs before the Go runtime starts its threads. See mallopt(3). */
__attribute__((constructor)) static void share_one_arena(void)
{
	mallopt(M_ARENA_MAX, 1);
}
