/*
 * lmdb - the load on LMDB.
 */
#include <lmdb.h>
#include "load.h"

static MDB_env *env;
static MDB_dbi dbi;
static MDB_txn *txn;
static MDB_cursor *cursor;

static void must(int result)
{
	if (result)
		wrong("lmdb", mdb_strerror(result));
}

static void store_open(const char *path, bool sync)
{
	must(mdb_env_create(&env));
	must(mdb_env_set_mapsize(env, (size_t)8 << 30));
	must(mdb_env_open(env, path, MDB_NOSUBDIR | (sync ? 0 : MDB_NOSYNC), 0600));
	must(mdb_txn_begin(env, NULL, 0, &txn));
	must(mdb_dbi_open(txn, NULL, 0, &dbi));
	must(mdb_txn_commit(txn));
	txn = NULL;
}

static void store_begin(bool write)
{
	if (write) {
		must(mdb_txn_begin(env, NULL, 0, &txn));
		return;
	}
	if (txn)
		must(mdb_txn_renew(txn));
	else
		must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));
}

static void store_put(const void *key, const void *value)
{
	MDB_val k = { KEY, (void *)key }, v = { VALUE_SIZE, (void *)value };

	must(mdb_put(txn, dbi, &k, &v, 0));
}

static struct bytes store_get(const void *key)
{
	MDB_val k = { KEY, (void *)key }, v;
	int result = mdb_get(txn, dbi, &k, &v);

	if (result == MDB_NOTFOUND)
		return (struct bytes){ NULL, 0 };
	must(result);
	return (struct bytes){ v.mv_data, v.mv_size };
}

static bool store_next(bool first, struct bytes *key, struct bytes *value)
{
	MDB_val k, v;
	int result;

	if (first) {
		if (cursor)
			mdb_cursor_close(cursor);
		must(mdb_cursor_open(txn, dbi, &cursor));
	}
	result = mdb_cursor_get(cursor, &k, &v, first ? MDB_FIRST : MDB_NEXT);
	if (result == MDB_NOTFOUND)
		return false;
	must(result);
	*key = (struct bytes){ k.mv_data, k.mv_size };
	*value = (struct bytes){ v.mv_data, v.mv_size };
	return true;
}

static void store_end(bool write)
{
	if (write) {
		must(mdb_txn_commit(txn));
		txn = NULL;
	} else {
		mdb_txn_reset(txn);
	}
}

static void store_close(void)
{
	if (cursor)
		mdb_cursor_close(cursor);
	if (txn)
		mdb_txn_abort(txn);
	mdb_env_close(env);
}
