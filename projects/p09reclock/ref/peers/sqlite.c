/*
 * sqlite - the load on SQLite: a write-ahead log, one transaction a set, prepared
 * statements; synchronous=FULL flushes the log at each commit, OFF never does.
 */
#include <sqlite3.h>
#include "load.h"

static sqlite3 *db;
static sqlite3_stmt *setting, *getting;

static void must(int result, int want)
{
	if (result != want)
		fail("sqlite", sqlite3_errmsg(db));
}

static void open_store(const char *path, const char *how)
{
	must(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 20000);
	must(sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL), SQLITE_OK);
	must(sqlite3_exec(db, strcmp(how, "sync") ? "PRAGMA synchronous=OFF" : "PRAGMA synchronous=FULL", NULL, NULL, NULL),
		SQLITE_OK);
	must(sqlite3_exec(db, "CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID", NULL, NULL, NULL),
		SQLITE_OK);
	must(sqlite3_prepare_v2(db, "REPLACE INTO kv VALUES (?, ?)", -1, &setting, NULL), SQLITE_OK);
	must(sqlite3_prepare_v2(db, "SELECT v FROM kv WHERE k = ?", -1, &getting, NULL), SQLITE_OK);
}

static void set(const void *key, size_t klen, const void *value, size_t vlen)
{
	must(sqlite3_bind_blob(setting, 1, key, (int)klen, SQLITE_STATIC), SQLITE_OK);
	must(sqlite3_bind_blob(setting, 2, value, (int)vlen, SQLITE_STATIC), SQLITE_OK);
	must(sqlite3_step(setting), SQLITE_DONE);
	must(sqlite3_reset(setting), SQLITE_OK);
}

static bool get(const void *key, size_t klen, const void *value, size_t vlen)
{
	bool right;

	must(sqlite3_bind_blob(getting, 1, key, (int)klen, SQLITE_STATIC), SQLITE_OK);
	if (sqlite3_step(getting) != SQLITE_ROW)
		return false;
	right = same(sqlite3_column_blob(getting, 0), (size_t)sqlite3_column_bytes(getting, 0), value, vlen);
	must(sqlite3_reset(getting), SQLITE_OK);
	return right;
}

static void close_store(void)
{
	sqlite3_finalize(setting);
	sqlite3_finalize(getting);
	must(sqlite3_close(db), SQLITE_OK);
}

int main(int argc, char **argv)
{
	return load(argc, argv);
}
