/* reader NAME: for each line of a key in hexadecimal, what the cache says about it. */
#include <inttypes.h>
#include <stddef.h>

#include "../../ref/cache.h"

int main(int argc, char **argv)
{
	static const char *const lives[] = { "alive", "dead", "closed" };
	static char line[2 * CACHE_MAX_KEY + 2], key[CACHE_MAX_KEY + 1];
	static struct cache_found f;
	struct cache c;
	const char *why = argc == 2 ? cache_open(&c, argv[1]) : "which one?";

	setvbuf(stdout, NULL, _IOLBF, 0);
	puts(why ? why : "opened");
	if (why)
		return 0;
	while (fgets(line, sizeof(line), stdin)) {
		size_t size = strcspn(line, "\n") / 2;

		for (size_t i = 0; i < size; i++)
			sscanf(line + 2 * i, "%2hhx", (unsigned char *)&key[i]);
		cache_get(&c, key, size, &f);
		printf("%s %" PRIu64 " %" PRIu64 " ", lives[cache_life(&c)], f.index, f.age_ns);
		if (f.damaged)
			printf("damaged");
		else if (f.present)
			printf("found %" PRIu64 " %08x", f.revision, crc32c(0, f.value, f.size));
		else
			printf("missed");
		putchar('\n');
	}
	cache_close(&c);
	return 0;
}
