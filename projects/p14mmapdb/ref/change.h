/*
 * change.h - inserting and deleting: a page that changes is made anew from its items.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include "commit.h"

/* A page has 339 records or children at most; two pages may be joined. */
enum { MAX_ITEMS = 1024 };

struct items {
	unsigned n;
	size_t size; /* of all, in a page */
	struct item of[MAX_ITEMS];
};

static size_t item_size(enum kind kind, const struct item *item)
{
	return entry_size(kind) + item->cell_size;
}

static void put_item(struct items *list, enum kind kind, unsigned at, struct item item)
{
	memmove(list->of + at + 1, list->of + at, (list->n - at) * sizeof(item));
	list->of[at] = item;
	list->n++;
	list->size += item_size(kind, &item);
}

static void remove_item(struct items *list, enum kind kind, unsigned at)
{
	list->size -= item_size(kind, &list->of[at]);
	list->n--;
	memmove(list->of + at, list->of + at + 1, (list->n - at) * sizeof(*list->of));
}

/* A branch's first child has no key, whatever it was before. */
static void without_key(struct items *list)
{
	struct item *first = &list->of[0];

	list->size -= first->cell_size;
	*first = (struct item){ .child = first->child };
}

static void items_of(struct items *list, const struct page *p)
{
	list->n = 0;
	list->size = 0;
	for (unsigned i = 0; i < p->count; i++)
		put_item(list, p->kind, i, item_of(p, i));
	if (list->size > PAGE - 24)
		damaged(p->number, "it has more than is in it");
}

/* Makes a page of items, which may be in the page that was there before. */
static void fill(uint32_t number, enum kind kind, const struct item *of, unsigned n)
{
	static struct page new;
	unsigned from = kind == LEAF ? 0 : 1, bottom = PAGE;
	uint8_t *base = (uint8_t *)&new;

	memset(&new, 0, PAGE);
	new.number = number;
	new.kind = (uint8_t)kind;
	new.count = (uint16_t)n;
	if (n > from + 1)
		new.skip = (uint16_t)common_prefix(of[from].key, of[from].key_size, of[n - 1].key, of[n - 1].key_size);
	for (unsigned i = 0; i < n; i++) {
		uint16_t place = 0;

		if (kind == BRANCH)
			new.head[n + i] = of[i].child;
		if (i >= from) {
			new.head[i] = head_of(of[i].key, of[i].key_size, new.skip);
			bottom -= of[i].cell_size;
			memcpy(base + bottom, of[i].cell, of[i].cell_size);
			place = (uint16_t)bottom;
		}
		memcpy(base + 24 + (kind == LEAF ? 4u : 8u) * n + 2 * i, &place, 2);
	}
	new.bottom = (uint16_t)bottom;
	memcpy(image.of[number] ? image.of[number] : new_image(number), &new, PAGE);
}

/* The page that takes the place of another one; of this transaction it is the same. */
static uint32_t replacement(uint32_t page)
{
	if (image.of[page])
		return page;
	drop(page);
	return take_page();
}

/* Where the second of two pages begins. A last item that is new goes there alone: keys
 * that come in order then fill their pages. */
static unsigned half_of(const struct items *list, enum kind kind, unsigned new)
{
	size_t left = 0, best = SIZE_MAX;
	unsigned at = 0;

	if (new == list->n - 1)
		return new;
	for (unsigned i = 1; i < list->n; i++) {
		size_t larger;

		left += item_size(kind, &list->of[i - 1]);
		larger = left > list->size - left ? left : list->size - left;
		if (larger < best) {
			best = larger;
			at = i;
		}
	}
	return at;
}

/* A branch's cell. */
static struct item separator(const struct item *before, const struct item *first, enum kind kind, uint32_t child, uint8_t *cell)
{
	unsigned n = first->key_size;

	if (kind == LEAF)
		n = (unsigned)common_prefix(before->key, before->key_size, first->key, n) + 1;
	if (n > first->key_size)
		die("%s: damaged: its keys are not in order", db.path);
	cell[0] = (uint8_t)n;
	cell[1] = (uint8_t)(n >> 8);
	memcpy(cell + 2, first->key, n);
	return (struct item){ .key = cell + 2, .cell = cell, .key_size = n, .cell_size = n + 2, .child = child };
}

/* Puts an item into the page at a level of the way, or in the place of the one there, and
 * what becomes of it into the pages above. */
static void store(struct cursor *way, struct item item, bool replace)
{
	static struct items list;
	static uint8_t cells[2][2 + MAX_KEY];

	for (unsigned level = way->depth; level-- > 0;) {
		uint32_t old = way->at[level].page, page;
		unsigned at = way->at[level].index, half;
		enum kind kind = level == way->depth - 1 ? LEAF : BRANCH;

		items_of(&list, node_at(old, kind == LEAF));
		if (kind == BRANCH)
			list.of[at++].child = way->at[level + 1].page; /* and the item is the page behind it */
		else if (replace)
			remove_item(&list, kind, at);
		if (item.cell)
			put_item(&list, kind, at, item);
		page = replacement(old);
		way->at[level].page = page;
		if (list.size <= PAGE - 24) {
			fill(page, kind, list.of, list.n);
			if (page == old)
				return;
			item = (struct item){ 0 };
			continue;
		}
		half = half_of(&list, kind, at);
		item = separator(&list.of[half - 1], &list.of[half], kind, take_page(), cells[level % 2]);
		/* Where the right page is filled first, the left one's items are still where they were. */
		if (kind == BRANCH) {
			struct item first = list.of[half];

			list.of[half] = (struct item){ .child = first.child };
		}
		fill(item.child, kind, list.of + half, list.n - half);
		fill(page, kind, list.of, half);
	}
	if (item.cell) { /* a new root */
		uint32_t root = take_page();
		struct item both[2] = { { .child = way->at[0].page }, item };

		if (way->depth == MAX_DEPTH)
			die("%s: full", db.path);
		fill(root, BRANCH, both, 2);
		db.now.root = root;
		db.now.depth++;
		return;
	}
	db.now.root = way->at[0].page;
}

/* Inserts a record, in the place of the key's old one. */
static void put(const uint8_t *key, size_t n, const uint8_t *value, size_t size)
{
	static uint8_t cell[4 + INLINE_LIMIT + MAX_KEY];
	struct item item = { .key = cell + 4, .cell = cell, .key_size = (unsigned)n };
	uint16_t sizes[2] = { (uint16_t)n, (uint16_t)size };
	struct cursor way;
	bool found = descend(&way, key, n);

	if (found)
		drop_value(value_of(cursor_item(&way)));
	item.cell_size = (unsigned)(4 + n + size);
	if (4 + n + size > INLINE_LIMIT) {
		uint32_t far[2] = { write_value(value, (uint32_t)size), (uint32_t)size };

		sizes[1] = FAR_VALUE;
		memcpy(cell + 4 + n, far, 8);
		item.cell_size = (unsigned)(4 + n + 8);
	} else {
		memcpy(cell + 4 + n, value, size);
	}
	memcpy(cell, sizes, 4);
	memcpy(cell + 4, key, n);
	db.now.records += !found;
	if (way.depth) {
		store(&way, item, found);
		return;
	}
	db.now.root = take_page();
	db.now.depth = 1;
	fill(db.now.root, LEAF, &item, 1);
}

#endif
