/*
 * txn.h - a transaction: what it changes is written to other pages, and becomes the state
 * of the database when its meta page is written.
 */
#ifndef TXN_H
#define TXN_H

#include "free.h"

static struct {
	uint32_t *dirty; /* numbers of pages that have an image */
	size_t n_dirty, room_dirty;
	uint32_t *spare; /* pages that were taken, and are not needed any more */
	size_t n_spare, room_spare;
	struct listed *value; /* values that are in the file already */
	size_t n_value, room_value;
} txn;

static void *more(void *array, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return array;
	*room = *room ? 2 * *room : 64;
	return resize(array, *room * size);
}

static void begin_write(void)
{
	static const uint8_t zeros[PAGE];
	uint64_t newest, durable;
	const struct meta *other;

	if (db.read_only || !db.s)
		die("%s: the database may not be written: %s", db.path, strerror(EACCES));
	lock(F_WRLCK, WRITER_BYTE);
	if (LOAD(&db.s->failed))
		die("%s: a flush has failed: %s", db.path, strerror((int)LOAD(&db.s->failed)));
	newest = LOAD(&db.s->newest);
	durable = LOAD(&db.s->durable);
	if (!take_meta(newest))
		damaged(newest % 2 + 1, "it does not have the newest state");
	if (db.now.tx > newest / 2) { /* its writer was killed before it could say so */
		newest = 2 * db.now.tx + newest % 2;
		STORE(&db.s->newest, newest);
	}
	if (!in_file(db.now.pages) || db.now.pages > db.mapped / PAGE)
		damaged(db.now.pages - 1, "cut off, or more than this process has room for");
	/* Where nobody syncs, pages wait to be used again until somebody does. */
	if (durable != newest && (!durable || !db.no_sync || fr.waiting > (db.now.pages > 16384 ? db.now.pages / 4 : 4096))) {
		flush();
		fr.waiting = 0;
		STORE(&db.s->durable, newest);
	}
	other = meta_at(3 - db.now.number);
	if (meta_ok(other, 3 - db.now.number) && other->tx > db.now.tx) {
		write_pages(zeros, PAGE, 3 - db.now.number);
		flush();
	}
	load_free();
	fr.limit = oldest_reader(newest / 2);
	if (fr.limit > LOAD(&db.s->durable) / 2)
		fr.limit = LOAD(&db.s->durable) / 2;
	fr.tx = 0;
	fr.hopeless = UINT32_MAX;
	fr.taken.n = fr.freed.n = 0;
	txn.n_dirty = txn.n_spare = txn.n_value = 0;
	db.now.tx++;
}

static void end_write(void)
{
	lock(F_UNLCK, WRITER_BYTE);
}

static uint32_t take_page(void)
{
	return txn.n_spare ? txn.spare[--txn.n_spare] : take(1);
}

/* An image of a page that was taken. */
static struct page *new_image(uint32_t number)
{
	struct page *p = aligned_alloc(PAGE, PAGE);

	if (!p)
		die("out of memory");
	image.of[number] = p;
	txn.dirty = more(txn.dirty, txn.n_dirty, &txn.room_dirty, sizeof(*txn.dirty));
	txn.dirty[txn.n_dirty++] = number;
	return p;
}

/* A page of the tree or the log is not needed any more. */
static void drop(uint32_t page)
{
	if (!image.of[page]) {
		give(page, 1);
		return;
	}
	free(image.of[page]);
	image.of[page] = NULL;
	txn.spare = more(txn.spare, txn.n_spare, &txn.room_spare, sizeof(*txn.spare));
	txn.spare[txn.n_spare++] = page;
}

/* Nor is a value. */
static void drop_value(struct value v)
{
	uint32_t run = run_of(v.size);

	if (!v.page)
		return;
	for (size_t i = txn.n_value; i-- > 0;)
		if (txn.value[i].page == v.page) {
			txn.value[i] = txn.value[--txn.n_value];
			for (uint32_t p = v.page; p < v.page + run; p++) {
				txn.spare = more(txn.spare, txn.n_spare, &txn.room_spare, sizeof(*txn.spare));
				txn.spare[txn.n_spare++] = p;
			}
			return;
		}
	give(v.page, run);
}

/* Writes a value to pages of its own. */
static uint32_t write_value(const uint8_t *of, uint32_t size)
{
	uint32_t run = run_of(size), page = take(run);
	struct page *p = resize(NULL, (size_t)run * PAGE);

	memset(p, 0, 24);
	p->number = page;
	p->tx = db.now.tx;
	p->kind = VALUE;
	memcpy((uint8_t *)p + 24, of, size);
	memset((uint8_t *)p + 24 + size, 0, (size_t)run * PAGE - 24 - size);
	p->crc = crc32c((uint8_t *)p + 4, (size_t)run * PAGE - 4);
	write_pages(p, (uint64_t)run * PAGE, page);
	txn.value = more(txn.value, txn.n_value, &txn.room_value, sizeof(*txn.value));
	txn.value[txn.n_value++] = (struct listed){ page, run, p->crc };
	free(p);
	return page;
}

#endif
