/*
 * commit.h - the end of a transaction: the log of free pages, the pages, the meta page.
 */
#ifndef COMMIT_H
#define COMMIT_H

#include <sys/uio.h>
#include "txn.h"

static int by_page(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->page < y->page ? -1 : x->page > y->page;
}

/* Sorted, and with runs where pages are side by side. */
static void order(struct entries *list)
{
	size_t n = 0;

	if (list->n)
		qsort(list->of, list->n, sizeof(*list->of), by_page);
	for (size_t i = 0; i < list->n; i++) {
		struct entry e = list->of[i];

		if (!e.run)
			continue;
		if (n && list->of[n - 1].page + list->of[n - 1].run == e.page && list->of[n - 1].tx == e.tx)
			list->of[n - 1].run += e.run;
		else
			list->of[n++] = e;
	}
	list->n = n;
}

/* What was taken for nothing is free as it was before. */
static void give_back_spares(void)
{
	if (fr.taken.n)
		qsort(fr.taken.of, fr.taken.n, sizeof(*fr.taken.of), by_page);
	while (txn.n_spare) {
		struct entry key = { .page = txn.spare[--txn.n_spare] }, *e = NULL;

		if (fr.taken.n)
			e = bsearch(&key, fr.taken.of, fr.taken.n, sizeof(key), by_page);
		if (!e) {
			give(key.page, 1);
			continue;
		}
		mark(e->page, 1, e->tx);
		e->run = 0;
	}
}

static void write_log_pages(const struct entries *list, uint32_t *pages, size_t n_pages)
{
	size_t from = 0;

	for (size_t i = 0; i < n_pages; i++) {
		struct page *p = new_image(pages[i]);
		size_t n = list->n - from < MAX_LOGGED ? list->n - from : MAX_LOGGED;

		memset(p, 0, PAGE);
		p->kind = LOG;
		p->count = (uint16_t)n;
		p->log.before = db.now.log;
		memcpy(p->log.entry, list->of + from, n * sizeof(struct entry));
		from += n;
		db.now.log = pages[i];
		db.now.log_len++;
	}
}

/* The whole set anew, if that is one page or the old log is long beyond need; else what has
 * changed. Taking pages for the log changes it once more. */
static void write_log(void)
{
	static struct entries list;
	uint32_t *pages = NULL;
	size_t n_pages = 0, need;
	bool anew;

	give_back_spares();
	anew = db.now.free + db.now.log_len < MAX_LOGGED || db.now.log_len > 8 + 2 * (db.now.free / MAX_LOGGED);
	if (anew) {
		for (uint32_t at = db.now.log; at; at = log_at(at)->log.before)
			give(at, 1);
		db.now.log = db.now.log_len = 0;
	}
	for (;;) {
		list.n = 0;
		for (uint32_t p = FIRST_PAGE; anew && p < db.now.pages; p++)
			if (!fr.in_block[p / BLOCK])
				p = p / BLOCK * BLOCK + BLOCK - 1;
			else if (fr.since[p])
				add_entry(&list, fr.since[p], p, 1);
		for (size_t i = 0; !anew && i < fr.taken.n; i++)
			add_entry(&list, 0, fr.taken.of[i].page, fr.taken.of[i].run);
		for (size_t i = 0; !anew && i < fr.freed.n; i++)
			add_entry(&list, fr.freed.of[i].tx, fr.freed.of[i].page, fr.freed.of[i].run);
		order(&list);
		need = (list.n + MAX_LOGGED - 1) / MAX_LOGGED;
		if (need <= n_pages)
			break;
		pages = resize(pages, need * sizeof(*pages));
		while (n_pages < need)
			pages[n_pages++] = take(1);
	}
	write_log_pages(&list, pages, n_pages);
	free(pages);
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Seals and writes all images, those that are side by side at once, and lists them. */
static void write_images(void)
{
	struct page *run[64];
	uint32_t n = 0, first = 0;
	size_t before = 0, total;

	/* If the state before was not flushed, what is still needed of it must be there, too. */
	for (uint32_t i = 0; i < db.now.listed; i++)
		if (!fr.since[db.now.list[i].page])
			db.now.list[before++] = db.now.list[i];
	if (LOAD(&db.s->durable) == LOAD(&db.s->newest)) {
		before = 0;
	} else if (before + txn.n_value + txn.n_dirty > MAX_LISTED) {
		flush();
		STORE(&db.s->durable, LOAD(&db.s->newest));
		before = 0;
	}
	total = before + txn.n_value;
	memset(db.now.list + before, 0, (MAX_LISTED - before) * sizeof(*db.now.list));
	if (txn.n_dirty)
		qsort(txn.dirty, txn.n_dirty, sizeof(*txn.dirty), by_number);
	for (size_t i = 0; i <= txn.n_dirty; i++) {
		uint32_t number = i < txn.n_dirty ? txn.dirty[i] : 0;
		struct page *p = number ? image.of[number] : NULL;
		struct iovec parts[64];

		if (n && (i == txn.n_dirty || n == 64 || (p && number != first + n))) {
			for (uint32_t k = 0; k < n; k++)
				parts[k] = (struct iovec){ run[k], PAGE };
			if (pwritev(db.fd, parts, (int)n, (off_t)first * PAGE) != (ssize_t)n * PAGE)
				for (uint32_t k = 0; k < n; k++)
					write_pages(run[k], PAGE, first + k);
			for (uint32_t k = 0; k < n; k++)
				free(run[k]);
			n = 0;
		}
		if (!p)
			continue; /* dropped, or here twice */
		p->number = number;
		p->tx = db.now.tx;
		p->crc = crc32c((uint8_t *)p + 4, PAGE - 4);
		if (total++ < MAX_LISTED)
			db.now.list[total - 1] = (struct listed){ number, 1, p->crc };
		image.of[number] = NULL;
		first = n ? first : number;
		run[n++] = p;
	}
	for (size_t i = 0; i < txn.n_value && before + i < MAX_LISTED; i++)
		db.now.list[before + i] = txn.value[i];
	db.now.listed = total <= MAX_LISTED ? (uint32_t)total : 0;
	db.now.flushed = total > MAX_LISTED;
}

/* Makes what was changed the newest state. */
static void commit(void)
{
	uint64_t durable, word;

	write_log();
	write_images();
	if (db.now.flushed) {
		memset(db.now.list, 0, sizeof(db.now.list));
		flush();
		STORE(&db.s->durable, LOAD(&db.s->newest));
	}
	durable = LOAD(&db.s->durable);
	db.now.number = durable % 2 ? 1 : 2;
	db.now.crc = crc32c((uint8_t *)&db.now + 4, PAGE - 4);
	word = 2 * db.now.tx + db.now.number - 1;
	write_pages(&db.now, PAGE, db.now.number);
	if (!db.no_sync) {
		flush();
		STORE(&db.s->durable, word);
	}
	STORE(&db.s->newest, word);
	fr.tx = db.now.tx;
}

#endif
