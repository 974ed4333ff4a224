/*
 * check.h - reading everything, and comparing all checksums.
 */
#ifndef CHECK_H
#define CHECK_H

#include "open.h"

/* Compares the log with the chains, and prints what there is. */
static void check(const char *name)
{
	uint64_t all, used = 0, linked = 0, place;

	if (st.s) {
		lock_all(st.read_only ? F_RDLCK : F_WRLCK);
		if (LOAD(&st.s->generation) != st.generation) {
			lock_all(F_UNLCK);
			refresh();
			check(name);
			return;
		}
		for (unsigned b = 0; b < BUCKETS && !st.read_only; b++)
			if (LOAD(&st.s->bucket[b].seq) % 2)
				resolve(b);
	}
	all = scan();
	newest();
	for (size_t i = 0; i < records.n; i++) {
		struct record *r = record_at(records.of[i].pos);

		if (hash_of(&st.h, r->key, klen_of(r)) != r->hash)
			damaged(records.of[i].pos, "the hash is not the key's");
		place = slot_at(&st.h, r->hash);
		if (find(&place, r->hash, r->key, klen_of(r)) != records.of[i].pos)
			damaged(records.of[i].pos, "no chain leads to the newest record of its key");
		used += size_of(r);
	}
	for (uint64_t slot = 0; slot < UINT64_C(1) << st.h.bits; slot++)
		for (uint64_t pos = follow(HEADER_SIZE + 8 * slot); pos; pos = follow(pos + LINK_AT)) {
			if (slot_at(&st.h, record_at(pos)->hash) != HEADER_SIZE + 8 * slot)
				damaged(pos, "a record is in another's chain");
			if (++linked > records.n)
				damaged(pos, "a chain leads to a record that does not count");
		}
	if (st.s && !st.read_only) {
		uint64_t tail = LOAD(&st.s->tail), rest = LOAD(&st.s->allocated) - tail;

		if (!is_zero(at(tail, rest), rest))
			damaged(tail, "there is something behind the last record");
		STORE(&st.s->live, (int64_t)records.n);
		STORE(&st.s->live_bytes, (int64_t)used);
	}
	printf("%s: %zu keys in %llu bytes, %llu bytes of garbage, %d buckets, %llu chains: OK\n", name, records.n,
		(unsigned long long)used, (unsigned long long)(all - used), BUCKETS, 1ULL << st.h.bits);
}

#endif
