/*
 * reference - the load on this exercise's own reference in C.
 */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "../bulk.h"
#include "../create.h"
#include "load.h"

static struct cursor place;

static void store_open(const char *path, bool sync)
{
	db.no_sync = !sync;
	if (access(path, F_OK))
		create(path, 1);
	open_database(path);
}

static void store_begin(bool write)
{
	if (write)
		begin_write();
	else
		begin_read();
}

static void store_put(const void *key, const void *value)
{
	put(key, KEY, value, VALUE_SIZE);
}

static struct bytes store_get(const void *key)
{
	struct cursor c;
	struct value v;

	if (!descend(&c, key, KEY))
		return (struct bytes){ NULL, 0 };
	v = value_of(cursor_item(&c));
	return (struct bytes){ v.of, v.size };
}

static bool store_next(bool first, struct bytes *key, struct bytes *value)
{
	struct item item;
	struct value v;

	if (!(first ? rewind_to(&place, false) : step(&place, false)))
		return false;
	item = cursor_item(&place);
	v = value_of(item);
	*key = (struct bytes){ item.key, item.key_size };
	*value = (struct bytes){ v.of, v.size };
	return true;
}

static void store_end(bool write)
{
	if (write) {
		commit();
		end_write();
	} else {
		end_read();
	}
}

static void store_close(void)
{
}
