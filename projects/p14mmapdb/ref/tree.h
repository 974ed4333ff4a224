/*
 * tree.h - finding keys: pages of records (leaves) below pages of children (branches).
 */
#ifndef TREE_H
#define TREE_H

#include "read.h"

/* Pages that are being written, and are not yet in the file. */
static struct {
	struct page **of;
	uint32_t room;
} image;

static const struct page *page_at(uint32_t number)
{
	if (number < image.room && image.of[number])
		return image.of[number];
	if (number < FIRST_PAGE || number >= db.now.pages)
		damaged(number, "it is used, and not among the pages in use");
	return (const struct page *)(db.map + (uint64_t)number * PAGE);
}

static unsigned get16(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, 4);
	return n;
}

/* A record or a child, in a page or on its way into one. */
struct item {
	const uint8_t *key, *cell; /* a branch's first child has none */
	unsigned key_size, cell_size;
	uint32_t child; /* of a branch */
};

static size_t entry_size(enum kind kind)
{
	return kind == LEAF ? 6 : 10;
}

static uint32_t child_of(const struct page *p, unsigned i)
{
	return p->head[p->count + i];
}

static struct item item_of(const struct page *p, unsigned i)
{
	const uint8_t *base = (const uint8_t *)p, *places = base + 24 + (p->kind == LEAF ? 4u : 8u) * p->count;
	struct item item = { .child = p->kind == LEAF ? 0 : child_of(p, i) };
	unsigned at = get16(places + 2 * i), header = p->kind == LEAF ? 4 : 2;

	if (p->kind == BRANCH && i == 0)
		return item;
	if (at < p->bottom || at + header > PAGE)
		damaged(p->number, "a cell is not in it");
	item.cell = base + at;
	item.key = item.cell + header;
	item.key_size = get16(item.cell);
	item.cell_size = header + item.key_size;
	if (p->kind == LEAF)
		item.cell_size += get16(item.cell + 2) == FAR_VALUE ? 8 : get16(item.cell + 2);
	if (item.key_size > MAX_KEY || item.key_size < p->skip || at + item.cell_size > PAGE)
		damaged(p->number, "a cell is not in it");
	return item;
}

/* A leaf or a branch whose arrays are in it. */
static const struct page *node_at(uint32_t number, bool leaf)
{
	const struct page *p = page_at(number);

	if (p->kind != (leaf ? LEAF : BRANCH) || p->number != number)
		damaged(number, "it is another one than the tree wants here");
	if (!p->count || 24 + entry_size(p->kind) * p->count > p->bottom || p->bottom > PAGE)
		damaged(number, "it has more than is in it");
	return p;
}

/* The first item that is not less than the key; a branch's first child has none. */
static unsigned position(const struct page *p, const uint8_t *key, size_t n, bool *found)
{
	unsigned low = p->kind == LEAF ? 0 : 1, high = p->count;
	uint32_t head = head_of(key, n, p->skip);

	*found = false;
	if (p->skip && low < high) {
		struct item first = item_of(p, low);
		int c = compare(key, n < p->skip ? n : p->skip, first.key, p->skip);

		if (c)
			return c < 0 ? low : high;
	}
	while (low < high) {
		unsigned middle = (low + high) / 2;
		int c = (head < p->head[middle]) - (head > p->head[middle]);

		if (!c) {
			struct item item = item_of(p, middle);

			c = compare(item.key, item.key_size, key, n);
		}
		if (!c) {
			*found = true;
			return middle;
		}
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A place in a leaf, and how one came there. */
struct cursor {
	unsigned depth; /* 0: nowhere */
	struct {
		uint32_t page;
		unsigned index;
	} at[MAX_DEPTH];
};

static const struct page *cursor_leaf(const struct cursor *c)
{
	return node_at(c->at[c->depth - 1].page, true);
}

static struct item cursor_item(const struct cursor *c)
{
	return item_of(cursor_leaf(c), c->at[c->depth - 1].index);
}

/* Goes down to the first or last record below a page. */
static void to_end(struct cursor *c, unsigned level, uint32_t page, bool last)
{
	for (; level < c->depth; level++) {
		const struct page *p = node_at(page, level == c->depth - 1);

		c->at[level].page = page;
		c->at[level].index = last ? p->count - 1u : 0;
		if (level < c->depth - 1)
			page = child_of(p, c->at[level].index);
	}
}

/* Goes to the next record, or the one before; at the end there is none. */
static bool step(struct cursor *c, bool back)
{
	for (unsigned level = c->depth; level-- > 0;) {
		const struct page *p = node_at(c->at[level].page, level == c->depth - 1);
		unsigned *i = &c->at[level].index;

		if (back ? *i == 0 : *i + 1 >= p->count)
			continue;
		*i += back ? -1u : 1;
		if (level < c->depth - 1)
			to_end(c, level + 1, child_of(p, *i), back);
		return true;
	}
	c->depth = 0;
	return false;
}

/* Goes down to where a key is, or would be put, which may be behind a leaf's last one. */
static bool descend(struct cursor *c, const uint8_t *key, size_t n)
{
	uint32_t page = db.now.root;
	bool found = false;

	c->depth = db.now.depth;
	for (unsigned level = 0; level < c->depth; level++) {
		const struct page *p = node_at(page, level == c->depth - 1);
		unsigned i = position(p, key, n, &found);

		if (level < c->depth - 1 && !found)
			i--;
		c->at[level].page = page;
		c->at[level].index = i;
		if (level < c->depth - 1)
			page = child_of(p, i);
	}
	return found;
}

/* Goes to the first record that is not less than a key, or to the last one that is. */
static bool seek(struct cursor *c, const uint8_t *key, size_t n, bool back)
{
	unsigned *i;

	descend(c, key, n);
	if (!c->depth)
		return false;
	i = &c->at[c->depth - 1].index;
	if (back)
		return step(c, true);
	if (*i < cursor_leaf(c)->count)
		return true;
	--*i;
	return step(c, false);
}

/* To the first or the last record of all. */
static bool rewind_to(struct cursor *c, bool last)
{
	c->depth = db.now.depth;
	if (c->depth)
		to_end(c, 0, db.now.root, last);
	return c->depth > 0;
}

struct value {
	const uint8_t *of;
	uint32_t size, page; /* its first page, or 0 where it is in the leaf */
};

static struct value value_of(struct item item)
{
	const uint8_t *after = item.key + item.key_size;
	struct value v = { after, get16(item.cell + 2), 0 };
	const struct page *p;

	if (v.size != FAR_VALUE)
		return v;
	v.page = get32(after);
	v.size = get32(after + 4);
	p = page_at(v.page);
	if (v.size > MAX_VALUE || db.now.pages - v.page < run_of(v.size))
		damaged(v.page, "a value is not in the pages in use");
	if (p->kind != VALUE || p->number != v.page)
		damaged(v.page, "it is no value");
	v.of = p->body;
	return v;
}

#endif
