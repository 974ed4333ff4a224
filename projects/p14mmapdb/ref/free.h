/*
 * free.h - which pages are free, and since when. The file has it as a log of changes,
 * this process as an array by page.
 */
#ifndef FREE_H
#define FREE_H

#include "tree.h"

enum { BLOCK = 512 };

static struct {
	uint64_t *since; /* the transaction that freed a page, 0: it is in use */
	uint32_t *in_block; /* free pages of each BLOCK pages */
	uint32_t room, next; /* pages; where to look first */
	uint64_t tx; /* the state of which it is, 0: of none */
	uint64_t limit; /* what was freed by this one or before may be used */
	uint64_t waiting; /* pages that were freed since the last flush */
	uint32_t hopeless; /* so many together were not found in this transaction */
	struct entries {
		struct entry *of;
		size_t n, room;
	} taken, freed; /* by this transaction; the first, page by page, with when they had been freed */
} fr;

static void add_entry(struct entries *list, uint64_t tx, uint32_t page, uint32_t run)
{
	if (list->n == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->of = resize(list->of, list->room * sizeof(*list->of));
	}
	list->of[list->n++] = (struct entry){ tx, page, run };
}

/* Room for so many pages. */
static void free_room(uint32_t pages)
{
	uint32_t room = (pages / 4 * 5 + BLOCK) / BLOCK * BLOCK;

	if (pages <= fr.room)
		return;
	fr.since = resize(fr.since, (size_t)room * sizeof(*fr.since));
	fr.in_block = resize(fr.in_block, room / BLOCK * sizeof(*fr.in_block));
	image.of = resize(image.of, (size_t)room * sizeof(*image.of));
	memset(fr.since + fr.room, 0, (size_t)(room - fr.room) * sizeof(*fr.since));
	memset(fr.in_block + fr.room / BLOCK, 0, (room - fr.room) / BLOCK * sizeof(*fr.in_block));
	memset(image.of + fr.room, 0, (size_t)(room - fr.room) * sizeof(*image.of));
	fr.room = image.room = room;
}

/* Notes since when pages are free; false if they were or were not already. */
static bool mark(uint32_t page, uint32_t run, uint64_t since)
{
	for (uint32_t p = page; p < page + run; p++) {
		if (!fr.since[p] == !since)
			return false;
		fr.in_block[p / BLOCK] += since ? 1 : -1u;
		db.now.free += since ? 1 : -1u;
		fr.since[p] = since;
	}
	return true;
}

/* What the state before had there is not needed by the one that is being made. */
static void give(uint32_t page, uint32_t run)
{
	if (page < FIRST_PAGE || page + (uint64_t)run > db.now.pages || !mark(page, run, db.now.tx))
		damaged(page, "it is free and in use");
	add_entry(&fr.freed, db.now.tx, page, run);
	fr.waiting += run;
}

static bool may_take(uint32_t page)
{
	return fr.since[page] && fr.since[page] <= fr.limit;
}

/* A run of free pages, 0 if there is none: looks at all once, from where it ended last. */
static uint32_t find_free(uint32_t run)
{
	uint32_t length = 0, page = fr.next < db.now.pages ? fr.next : FIRST_PAGE;
	bool again = page > FIRST_PAGE;

	if (db.now.free < run || run >= fr.hopeless)
		return 0;
	for (;;) {
		if (page >= db.now.pages) {
			if (!again)
				return 0;
			again = false;
			page = FIRST_PAGE;
			length = 0;
		}
		if (!fr.in_block[page / BLOCK]) {
			length = 0;
			page = (page / BLOCK + 1) * BLOCK;
			continue;
		}
		length = may_take(page) ? length + 1 : 0;
		page++;
		if (length == run) {
			fr.next = page;
			return page - run;
		}
	}
}

/* Pages to write to. */
static uint32_t take(uint32_t run)
{
	uint32_t page = find_free(run);

	if (page) {
		for (uint32_t i = page; i < page + run; i++)
			add_entry(&fr.taken, fr.since[i], i, 1);
		mark(page, run, 0);
		return page;
	}
	fr.hopeless = run < fr.hopeless ? run : fr.hopeless;
	page = db.now.pages;
	if (page > UINT32_MAX - (1u << 20) - run)
		die("%s: full, it has 2^32 pages", db.path);
	extend(page + (uint64_t)run);
	db.now.pages += run;
	free_room(db.now.pages);
	return page;
}

static const struct page *log_at(uint32_t number)
{
	const struct page *p = page_at(number);

	if (p->kind != LOG || p->number != number || p->count > MAX_LOGGED)
		damaged(number, "it is no log of free pages");
	return p;
}

/* Reads the log of the state that db.now has. */
static void load_free(void)
{
	uint32_t *chain = NULL, n = 0, count = db.now.free;

	free_room(db.now.pages);
	if (fr.tx == db.now.tx)
		return;
	memset(fr.since, 0, (size_t)fr.room * sizeof(*fr.since));
	memset(fr.in_block, 0, fr.room / BLOCK * sizeof(*fr.in_block));
	db.now.free = 0;
	for (uint32_t at = db.now.log; at; at = log_at(at)->log.before) {
		if (n >= db.now.log_len)
			damaged(at, "the log of free pages has no end");
		chain = resize(chain, (n + 1) * sizeof(*chain));
		chain[n++] = at;
	}
	while (n-- > 0) {
		const struct page *p = log_at(chain[n]);

		for (const struct entry *e = p->log.entry; e < p->log.entry + p->count; e++)
			if (e->page < FIRST_PAGE || e->page + (uint64_t)e->run > db.now.pages || !mark(e->page, e->run, e->tx))
				damaged(chain[n], "the log of free pages makes no sense");
	}
	if (db.now.free != count)
		damaged(db.now.log, "the number of free pages is another one");
	free(chain);
}

#endif
