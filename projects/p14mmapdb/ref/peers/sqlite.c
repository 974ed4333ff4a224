/*
 * sqlite - the load on SQLite: a write-ahead log, prepared statements, mapped file;
 * synchronous=FULL flushes the log at each commit, OFF never does.
 */
#include <sqlite3.h>
#include "load.h"

static sqlite3 *db;
static sqlite3_stmt *statement[6];
enum { BEGIN_READ, BEGIN_WRITE, COMMIT, PUT, GET, SCAN };

static void must(int result, int want)
{
	if (result != want)
		wrong("sqlite", sqlite3_errmsg(db));
}

static void execute(const char *sql)
{
	must(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void store_open(const char *path, bool sync)
{
	static const char *const sql[] = {
		"BEGIN", "BEGIN IMMEDIATE", "COMMIT", "REPLACE INTO kv VALUES (?, ?)", "SELECT v FROM kv WHERE k = ?",
		"SELECT k, v FROM kv ORDER BY k",
	};

	must(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 20000);
	execute("PRAGMA journal_mode=WAL");
	execute(sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
	execute("PRAGMA mmap_size=1073741824");
	execute("PRAGMA cache_size=-65536");
	execute("CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
	for (int i = 0; i < 6; i++)
		must(sqlite3_prepare_v2(db, sql[i], -1, &statement[i], NULL), SQLITE_OK);
}

static void step(int which)
{
	must(sqlite3_step(statement[which]), SQLITE_DONE);
	must(sqlite3_reset(statement[which]), SQLITE_OK);
}

static void store_begin(bool write)
{
	step(write ? BEGIN_WRITE : BEGIN_READ);
}

static void store_put(const void *key, const void *value)
{
	must(sqlite3_bind_blob(statement[PUT], 1, key, KEY, SQLITE_STATIC), SQLITE_OK);
	must(sqlite3_bind_blob(statement[PUT], 2, value, VALUE_SIZE, SQLITE_STATIC), SQLITE_OK);
	step(PUT);
}

static struct bytes column(int which, int number)
{
	return (struct bytes){ sqlite3_column_blob(statement[which], number), (size_t)sqlite3_column_bytes(statement[which], number) };
}

static struct bytes store_get(const void *key)
{
	must(sqlite3_reset(statement[GET]), SQLITE_OK);
	must(sqlite3_bind_blob(statement[GET], 1, key, KEY, SQLITE_STATIC), SQLITE_OK);
	if (sqlite3_step(statement[GET]) != SQLITE_ROW)
		return (struct bytes){ NULL, 0 };
	return column(GET, 0);
}

static bool store_next(bool first, struct bytes *key, struct bytes *value)
{
	int result;

	if (first)
		must(sqlite3_reset(statement[SCAN]), SQLITE_OK);
	result = sqlite3_step(statement[SCAN]);
	if (result == SQLITE_DONE)
		return false;
	must(result, SQLITE_ROW);
	*key = column(SCAN, 0);
	*value = column(SCAN, 1);
	return true;
}

static void store_end(bool write)
{
	(void)write;
	sqlite3_reset(statement[GET]);
	sqlite3_reset(statement[SCAN]);
	step(COMMIT);
}

static void store_close(void)
{
	for (int i = 0; i < 6; i++)
		sqlite3_finalize(statement[i]);
	must(sqlite3_close(db), SQLITE_OK);
}
