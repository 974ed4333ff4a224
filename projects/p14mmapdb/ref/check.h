/*
 * check.h - everything is read, and every checksum compared.
 */
#ifndef CHECK_H
#define CHECK_H

#include "tree.h"

static struct {
	uint8_t *seen; /* by page */
	uint64_t records;
	uint32_t used;
} ck;

static void see(uint32_t page, uint32_t run, const char *as)
{
	for (uint32_t p = page; p < page + run; p++) {
		if (p < FIRST_PAGE || p >= db.now.pages)
			damaged(p, "it is used, and not among the pages in use");
		if (ck.seen[p])
			damaged(p, as);
		ck.seen[p] = 1;
	}
}

static void check_sum(uint32_t number, uint32_t run)
{
	const struct page *p = page_at(number);

	see(number, run, "it is used twice");
	ck.used += run;
	if (p->crc != crc32c((const uint8_t *)p + 4, (size_t)run * PAGE - 4))
		damaged(number, "the checksum is wrong");
	if (p->number != number || p->tx > db.now.tx || p->zero)
		damaged(number, "it is another page");
}

/* The number of its pages must be known before its checksum can be compared. */
static void check_value(struct item item)
{
	struct value v = value_of(item);

	if (v.page)
		check_sum(v.page, run_of(v.size));
}

static void check_items(const struct page *p, const struct item *low, const struct item *high)
{
	struct item before = low ? *low : (struct item){ 0 };
	unsigned from = p->kind == LEAF ? 0 : 1;

	if (p->count == from && p->skip)
		damaged(p->number, "its keys do not fit to its heads");
	for (unsigned i = from; i < p->count; i++) {
		struct item item = item_of(p, i);

		if (p->kind == LEAF && !item.key_size)
			damaged(p->number, "a key has no bytes");
		if (p->head[i] != head_of(item.key, item.key_size, p->skip) ||
		    memcmp(item.key, item_of(p, from).key, p->skip))
			damaged(p->number, "its keys do not fit to its heads");
		if ((before.key && compare(before.key, before.key_size, item.key, item.key_size) >= (i == from && p->kind == LEAF)) ||
		    (high && compare(item.key, item.key_size, high->key, high->key_size) >= 0))
			damaged(p->number, "its keys are not in order");
		before = item;
		if (p->kind == LEAF)
			check_value(item);
	}
}

/* All keys below a page are at least low, and less than high. */
static void check_tree(uint32_t number, unsigned level, const struct item *low, const struct item *high)
{
	bool leaf = level == db.now.depth - 1;
	const struct page *p;

	check_sum(number, 1);
	p = node_at(number, leaf);
	check_items(p, low, high);
	if (leaf) {
		ck.records += p->count;
		return;
	}
	for (unsigned i = 0; i < p->count; i++) {
		struct item here = item_of(p, i), next = { 0 };

		if (i + 1u < p->count)
			next = item_of(p, i + 1);
		check_tree(child_of(p, i), level + 1, i ? &here : low, next.key ? &next : high);
	}
}

/* What the log says, from its end: the newest entry about a page counts. */
static void check_log(void)
{
	uint32_t pages = 0, n = 0;
	uint8_t *known = resize(NULL, db.now.pages);

	memset(known, 0, db.now.pages);
	for (uint32_t at = db.now.log; at; pages++) {
		const struct page *p = page_at(at);

		if (pages == db.now.log_len)
			damaged(at, "the log of free pages has no end");
		check_sum(at, 1);
		if (p->kind != LOG || p->count > MAX_LOGGED)
			damaged(at, "it is no log of free pages");
		for (unsigned i = p->count; i-- > 0;) {
			const struct entry *e = &p->log.entry[i];

			if (e->page < FIRST_PAGE || e->page + (uint64_t)e->run > db.now.pages || !e->run || e->tx > db.now.tx)
				damaged(at, "an entry makes no sense");
			for (uint32_t k = e->page; k < e->page + e->run; k++) {
				if (!known[k] && e->tx) {
					see(k, 1, "it is used and free");
					n++;
				}
				known[k] = 1;
			}
		}
		at = p->log.before;
	}
	free(known);
	if (pages != db.now.log_len || n != db.now.free)
		damaged(db.now.number, "the log of free pages has another length");
}

/* The other meta page, too, must have a whole transaction: else it was cut short, or it was
 * the newest one, and is lost. One of zeros was made invalid on purpose. */
static bool other_meta_ok(uint32_t number)
{
	static struct meta other;

	memcpy(&other, meta_at(number), PAGE);
	if (meta_ok(&other, number))
		return other.tx < db.now.tx || valid(&other, number);
	return !other.crc && !memcmp(&other, (uint8_t *)&other + 1, PAGE - 1);
}

static void check_other_meta(void)
{
	uint32_t number = 3 - db.now.number;
	bool ok = other_meta_ok(number);

	if (!ok && db.slot) { /* it may have been half written */
		lock(F_RDLCK, WRITER_BYTE);
		ok = other_meta_ok(number);
		lock(F_UNLCK, WRITER_BYTE);
	}
	if (!ok)
		damaged(number, "its transaction was cut short, or is lost");
}

/* Looks at all of the state that is read. */
static void check_state(void)
{
	ck.seen = resize(ck.seen, db.now.pages);
	memset(ck.seen, 0, db.now.pages);
	ck.records = ck.used = 0;
	if (db.now.root)
		check_tree(db.now.root, 0, NULL, NULL);
	check_log();
	for (uint32_t p = FIRST_PAGE; p < db.now.pages; p++)
		if (!ck.seen[p])
			damaged(p, "it is neither used nor free");
	if (ck.records != db.now.records)
		damaged(db.now.number, "the number of records is another one");
}

#endif
