/*
 * tdb - the load on Samba's trivial database. A set that is to be on the disk when it
 * returns, or to survive a kill in its middle, takes a transaction.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <tdb.h>
#include "load.h"

static struct tdb_context *db;
static bool transactions;

static TDB_DATA datum(const void *p, size_t n)
{
	return (TDB_DATA){ .dptr = (unsigned char *)p, .dsize = n };
}

static void open_store(const char *path, const char *how)
{
	transactions = strcmp(how, "unsafe");
	db = tdb_open(path, 65536, strcmp(how, "sync") ? TDB_NOSYNC : TDB_DEFAULT, O_RDWR | O_CREAT, 0600);
	if (!db)
		fail(path, "tdb_open failed");
}

static void set(const void *key, size_t klen, const void *value, size_t vlen)
{
	if ((transactions && tdb_transaction_start(db)) || tdb_store(db, datum(key, klen), datum(value, vlen), 0) ||
	    (transactions && tdb_transaction_commit(db)))
		fail("tdb", tdb_errorstr(db));
}

static int compare(TDB_DATA key, TDB_DATA value, void *want)
{
	TDB_DATA *w = want;

	(void)key;
	return !same(value.dptr, value.dsize, w->dptr, w->dsize);
}

static bool get(const void *key, size_t klen, const void *value, size_t vlen)
{
	TDB_DATA want = datum(value, vlen);

	return tdb_parse_record(db, datum(key, klen), compare, &want) == 0;
}

static void close_store(void)
{
	tdb_close(db);
}

int main(int argc, char **argv)
{
	return load(argc, argv);
}
