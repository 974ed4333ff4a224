/* Reading without asking anybody. */
#ifndef LOCAL_H
#define LOCAL_H

#include "cache.h"
#include "servers.h"

static double max_age = 5; /* s: what is older does not count */

/*
 * Looks in what those of the servers that run on this host keep in shared memory. Life is
 * what became of the server since.
 */
static const struct cache_found *look_in_caches(const kv_key *key, enum cache_life *life)
{
	static struct cache_found f;

	for (int i = 0; i < server_count; i++) {
		glob_t found;
		size_t n;

		if (strcmp(servers[i].host, "localhost") != 0)
			continue;
		n = cache_find(servers[i].port, &found);
		for (size_t c = 0; c < n; c++) {
			struct cache cache;

			if (cache_open(&cache, strrchr(found.gl_pathv[c], '/')))
				continue;
			cache_get(&cache, key->kv_key_val, key->kv_key_len, &f);
			*life = cache_life(&cache);
			cache_close(&cache);
			if (f.present && (double)f.age_ns <= max_age * 1e9)
				break;
			f.present = false;
		}
		globfree(&found);
		if (f.present)
			return &f;
	}
	return NULL;
}

#endif
