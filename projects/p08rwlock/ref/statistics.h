/* What a test has found: the statistics and the verdict. */
#ifndef STATISTICS_H
#define STATISTICS_H

#include <inttypes.h>

#include "flags.h"

enum { PATIENT = 3 }; /* seconds */

static const char *comma(uint64_t n, char *text)
{
	char digits[32], *to = text;
	int len = snprintf(digits, sizeof digits, "%" PRIu64, n);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

/* The cells a last time; true also of a lock that others go on using and do not let it have. */
static bool complete(void)
{
	uint64_t before = __atomic_load_n(&board->entered, __ATOMIC_SEQ_CST);
	struct timespec deadline = timespec(now() + PATIENT * SECOND);
	int error = myrwlock_lock(&board->lock, READER, &deadline);
	bool right;

	if (!error) {
		right = equal(board, __atomic_load_n(&board->writes, __ATOMIC_SEQ_CST));
		myrwlock_unlock(&board->lock, READER);
		return right;
	}
	if (error == ETIMEDOUT && __atomic_load_n(&board->entered, __ATOMIC_SEQ_CST) != before)
		return true;
	leave();
	if (error == ETIMEDOUT)
		die("%s%snobody has given the lock back for %ds: who held it is dead, or stopped",
		    board_name ? board_name : "", board_name ? ": " : "", PATIENT);
	die("lock: %s", strerror(error));
}

static bool print_statistics(void)
{
	uint64_t operations[2] = {0}, wrong = !complete();
	int64_t max_wait[2] = {0};
	struct record *starved = NULL;
	char a[32], b[32];

	for (unsigned i = 0; i < test.readers + test.writers; i++) {
		struct record *r = &tally->worker[i];
		enum kind kind = i < test.readers ? READER : WRITER;
		operations[kind] += r->operations;
		wrong += r->wrong;
		if (r->max_wait > max_wait[kind])
			max_wait[kind] = r->max_wait;
		if (r->starved_wait && (!starved || r->starved_wait > starved->starved_wait))
			starved = r;
	}
	printf("%sStatistics:\n  Read operations: %s\n  Write operations: %s\n", events ? "\n" : "",
	       comma(operations[READER], a), comma(operations[WRITER], b));
	printf("  Max reader wait: %" PRId64 "ms\n  Max writer wait: %" PRId64 "ms\n",
	       (max_wait[READER] + 500000) / 1000000, (max_wait[WRITER] + 500000) / 1000000);
	if (wrong)
		printf("  Data inconsistent (%s): FAIL\n", comma(wrong, a));
	else
		printf("  Data consistent: PASS\n");
	if (starved) {
		unsigned i = (unsigned)(starved - tally->worker);
		printf("  Starvation detected (%s %u waited %" PRId64 "ms while the lock was taken %s times): FAIL\n",
		       i < test.readers ? "reader" : "writer", i < test.readers ? i + 1 : i + 1 - test.readers,
		       (starved->starved_wait + 500000) / 1000000, comma(starved->starved_by, a));
	} else {
		printf("  No starvation detected: PASS\n");
	}
	return wrong || starved;
}

#endif
