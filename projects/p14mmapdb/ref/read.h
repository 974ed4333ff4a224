/*
 * read.h - one state of the database, kept from the writers for as long as it is read.
 */
#ifndef READ_H
#define READ_H

#include "lock.h"

static void end_read(void)
{
	if (db.slot)
		STORE(db.slot, 0);
}

static void claim_slot(void)
{
	for (uint64_t i = 0; i < SLOTS; i++) {
		uint64_t used = LOAD(&db.s->used);

		if (!try_lock(F_WRLCK, SLOT_BYTE + (int64_t)i))
			continue;
		while (used <= i && !__atomic_compare_exchange_n(&db.s->used, &used, i + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		STORE(&db.s->slot[i].pid, (uint64_t)getpid());
		db.slot = &db.s->slot[i].tx;
		atexit(end_read);
		return;
	}
	die("%s: %d others are reading it already", db.path, SLOTS);
}

/* Copies a state's meta page, or that of a newer one: without syncing it may be overwritten
 * just before "newest" says so. False if it has none. */
static bool take_meta(uint64_t word)
{
	uint32_t number = word % 2 + 1;

	memcpy(&db.now, meta_at(number), PAGE);
	return meta_ok(&db.now, number) && db.now.tx >= word / 2;
}

/* Has the newest state stay, and copies its meta page; false if that is half written, or
 * damaged. */
static bool pin(void)
{
	uint64_t word;

	for (;;) {
		word = db.s ? LOAD(&db.s->newest) : newest_valid();
		if (db.slot)
			STORE(db.slot, word / 2);
		if (db.slot && LOAD(&db.s->newest) != word)
			continue; /* a writer may not have seen us */
		if (take_meta(word))
			return true;
		if (!db.s || LOAD(&db.s->newest) == word)
			return false;
	}
}

/* From now on the newest state is read. */
static void begin_read(void)
{
	bool pinned;

	if (db.s && !db.unseen && !db.slot)
		claim_slot();
	pinned = pin();
	if (!pinned && db.slot) {
		lock(F_RDLCK, WRITER_BYTE);
		pinned = pin();
		lock(F_UNLCK, WRITER_BYTE);
	}
	if (!pinned)
		die("%s: damaged: its newest state has no meta page", db.path);
	if (!in_file(db.now.pages))
		damaged(db.now.pages - 1, "cut off");
	if (db.now.pages > db.mapped / PAGE)
		die("%s: it is longer than the address space that this process may have", db.path);
}

/* The oldest state that is being read, or newest; what dead readers left is cleared. */
static uint64_t oldest_reader(uint64_t newest)
{
	uint64_t oldest = newest, used = LOAD(&db.s->used);

	for (uint64_t i = 0; i < used && i < SLOTS; i++) {
		uint64_t *slot = &db.s->slot[i].tx, tx = LOAD(slot);

		if (!tx || tx >= oldest)
			continue;
		if (slot != db.slot && try_lock(F_WRLCK, SLOT_BYTE + (int64_t)i)) {
			STORE(slot, 0);
			lock(F_UNLCK, SLOT_BYTE + (int64_t)i);
			continue;
		}
		tx = LOAD(slot);
		if (tx && tx < oldest)
			oldest = tx;
	}
	return oldest;
}

#endif
