/*
 * delete.h - deleting: a page that has nothing left is taken out, and one that has little
 * is joined with the one beside it.
 */
#ifndef DELETE_H
#define DELETE_H

#include "change.h"

enum { LITTLE = (PAGE - 24) / 4, JOINED = (PAGE - 24) * 7 / 8 };

/* The item of a page that is now to be on the left of another one. */
static struct item keyed(const struct item *above, uint32_t child)
{
	struct item item = *above;

	item.child = child;
	return item;
}

/* Joins child i of a branch's items with the one before or behind it, if both are small;
 * true if there is one less. */
static bool join(struct items *above, unsigned i, bool leaves)
{
	static struct items both, right;
	enum kind kind = leaves ? LEAF : BRANCH;

	for (unsigned left = i ? i - 1 : 0; left <= i && left + 1 < above->n; left++) {
		uint32_t a = above->of[left].child, b = above->of[left + 1].child;

		items_of(&both, node_at(a, leaves));
		items_of(&right, node_at(b, leaves));
		if (kind == BRANCH) {
			right.size += above->of[left + 1].cell_size;
			right.of[0] = keyed(&above->of[left + 1], right.of[0].child);
		}
		if (both.size + right.size > JOINED)
			continue;
		memcpy(both.of + both.n, right.of, right.n * sizeof(*right.of));
		above->of[left].child = replacement(a);
		fill(above->of[left].child, kind, both.of, both.n + right.n);
		drop(b);
		remove_item(above, BRANCH, left + 1);
		return true;
	}
	return false;
}

/* Deletes a key; false if it is not there. */
static bool delete(const uint8_t *key, size_t n)
{
	static struct items list;
	struct cursor way;
	bool gone = false, small = false;

	if (!descend(&way, key, n))
		return false;
	drop_value(value_of(cursor_item(&way)));
	db.now.records--;
	for (unsigned level = way.depth; level-- > 0;) {
		uint32_t old = way.at[level].page, page;
		unsigned at = way.at[level].index;
		enum kind kind = level == way.depth - 1 ? LEAF : BRANCH;

		items_of(&list, node_at(old, kind == LEAF));
		if (kind == LEAF || gone) {
			remove_item(&list, kind, at);
			if (kind == BRANCH && at == 0 && list.n)
				without_key(&list);
		} else {
			list.of[at].child = way.at[level + 1].page;
			if (small)
				join(&list, at, level + 1 == way.depth - 1);
		}
		gone = !list.n;
		small = list.size < LITTLE;
		if (gone) {
			drop(old);
			continue;
		}
		page = replacement(old);
		way.at[level].page = page;
		fill(page, kind, list.of, list.n);
	}
	db.now.root = gone ? 0 : way.at[0].page;
	db.now.depth = gone ? 0 : way.depth;
	while (db.now.depth > 1 && node_at(db.now.root, false)->count == 1) {
		uint32_t root = db.now.root;

		db.now.root = child_of(node_at(root, false), 0);
		db.now.depth--;
		drop(root);
	}
	return true;
}

#endif
