/*
 * scan.h - reading the file from end to end.
 */
#ifndef SCAN_H
#define SCAN_H

#include "change.h"

struct entry {
	uint64_t hash, pos;
};

static struct {
	struct entry *of;
	size_t n, room;
} records;

static void add_record(uint64_t hash, uint64_t pos)
{
	if (records.n == records.room) {
		records.room = records.room ? 2 * records.room : 1024;
		records.of = realloc(records.of, records.room * sizeof(*records.of));
		if (!records.of)
			die("out of memory");
	}
	records.of[records.n++] = (struct entry){ hash, pos };
}

/*
 * Fills the log with every record of the file, in the order of writing; gives their bytes.
 * What was never finished is passed over: a sector of it is still zero. Where that one has
 * its header, the others stand alone behind it.
 */
static uint64_t scan(void)
{
	uint64_t size = file_size(st.fd), bytes = 0, pos = start_of(&st.h);
	bool behind_zeros = false, headless = false;

	records.n = 0;
	while (pos + RECORD_HEADER <= size) {
		struct record *r = (struct record *)(st.file + pos);

		if (is_zero(st.file + pos, ALIGN)) {
			behind_zeros = true;
			pos += ALIGN;
			continue;
		}
		if (head_ok(&st.h, pos, r)) {
			if (pos + size_of(r) > size)
				damaged(pos, "cut off");
			if (r->sum == crc32c(r->key, klen_of(r) + r->vlen)) {
				add_record(r->hash, pos);
				bytes += size_of(r);
			} else if (pos < st.h.base || !unfinished(st.file + pos, pos, size_of(r))) {
				damaged(pos, "the checksum of a record is wrong");
			}
			behind_zeros = headless = false;
			pos += size_of(r);
			continue;
		}
		headless = headless || (behind_zeros && pos % SECTOR == 0);
		if (pos < st.h.base || !headless)
			damaged(pos, "the checksum of a record's header is wrong");
		pos += ALIGN;
	}
	return bytes;
}

static int by_hash(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->pos > y->pos ? -1 : x->pos < y->pos;
}

/* Leaves the newest record of each key in the log, if it is not of a deletion. */
static void newest(void)
{
	size_t kept = 0;
	struct entry *all = allocate(records.n * sizeof(*all));

	if (records.n)
		qsort(records.of, records.n, sizeof(*records.of), by_hash);
	for (size_t i = 0; i < records.n; i++)
		all[i] = records.of[i];
	for (size_t i = 0, first = 0; i < records.n; i++) {
		struct record *r = record_at(all[i].pos);
		size_t k;

		if (all[i].hash != all[first].hash)
			first = i;
		for (k = first; k < i && !same_key(record_at(all[k].pos), r->key, klen_of(r)); k++)
			;
		if (k == i && !(r->klen & TOMBSTONE))
			records.of[kept++] = all[i];
	}
	records.n = kept;
	free(all);
}

#endif
