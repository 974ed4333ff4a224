/* What the roles send, receive, check and time. */
#ifndef ROLES_H
#define ROLES_H

#include "../../measure/ref/clock.h"
#include "../../measure/ref/histogram.h"
#include "channel.h"

static uint64_t count = 1000, warmup = 16;
static uint32_t histogram[HISTOGRAM_SIZE]; /* of round trips */

/*
 * A message begins at a cache line, but not at a page: how fast the kernel copies it
 * depends on that, so it is the same in Go.
 */
#define PLACE_IN_PAGE 64

/* Room for a byte more, see get(). */
static unsigned char *new_message(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = PLACE_IN_PAGE + size + 1;
	unsigned char *m = aligned_alloc(page, (room + page - 1) & ~(page - 1));

	if (!m)
		die("%zu bytes: %s", size, strerror(errno));
	memset(m, 0, room);
	return m + PLACE_IN_PAGE;
}

static void free_message(unsigned char *m)
{
	free(m - PLACE_IN_PAGE);
}

static void put_crc(const unsigned char *m)
{
	uint32_t le = htole32(crc32c(m, size));

	put(&le, 4);
}

static void compare_crc(const unsigned char *m, const void *sent, const char *which, uint64_t seq)
{
	uint32_t le, crc = crc32c(m, size);

	memcpy(&le, sent, 4);
	if (le32toh(le) != crc)
		die("%s message %llu: CRC-32C %08x, the sender's is %08x", which,
			(unsigned long long)seq, crc, le32toh(le));
}

static void get_crc(const unsigned char *m, const char *which, uint64_t seq)
{
	unsigned char sent[5];

	get(sent, 4);
	compare_crc(m, sent, which, seq);
}

static void run_send(unsigned char *m)
{
	unsigned char go[2];
	uint64_t seq;

	for (seq = 1; seq <= warmup; seq++) {
		fill(m, size, seq);
		put(m, size);
		put_crc(m);
	}
	get(go, 1);
	if (batch) {
		uint32_t le;

		for (seq = 1; seq <= count; seq++) {
			stamp(m, size, seq);
			put_frame(m, size);
		}
		le = htole32(crc32c(m, size));
		put_frame(&le, 4);
		flush_frames();
	} else {
		unsigned char *last = m;

		for (seq = 1; seq <= count; seq++) {
			last = stage(m, seq);
			stamp(last, size, seq);
			put(last, size);
		}
		put_crc(last);
	}
	printf("{\"count\":%llu}\n", (unsigned long long)count);
}

static void run_recv(unsigned char *m)
{
	uint64_t seq, start, end;

	for (seq = 1; seq <= warmup; seq++) {
		get(m, size);
		check(m, size, seq);
		get_crc(m, "warm-up", seq);
	}
	start = now_ns();
	put("!", 1);
	if (batch) {
		const unsigned char *f = m;

		for (seq = 1; seq <= count; seq++) {
			f = get_frame(size);
			check(f, size, seq);
		}
		end = now_ns();
		memcpy(m, f, size);
		compare_crc(m, get_frame(4), "last", count);
	} else {
		for (seq = 1; seq <= count; seq++) {
			get(m, size);
			check(m, size, seq);
		}
		end = now_ns();
		get_crc(m, "last", count);
	}
	printf("{\"count\":%llu,\"ns\":%llu,\"sums\":%llu}\n", (unsigned long long)count,
		(unsigned long long)(end - start), (unsigned long long)warmup + 1);
}

static void run_ping(unsigned char *m)
{
	unsigned char *back = new_message(), *last = m;
	uint64_t seq, start, before;

	for (seq = 1; seq <= warmup; seq++) {
		fill(m, size, seq);
		put(m, size);
		put_crc(m);
		get(back, size);
		check(back, size, seq);
		get_crc(back, "warm-up", seq);
	}
	start = before = now_ns();
	for (seq = 1; seq <= count; seq++) {
		uint64_t after;

		last = stage(m, seq);
		stamp(last, size, seq);
		put(last, size);
		get(back, size);
		check(back, size, seq);
		after = now_ns();
		histogram_add(histogram, after - before);
		before = after;
	}
	put_crc(last);
	get_crc(back, "last", count);
	printf("{\"count\":%llu,\"ns\":%llu,\"sums\":%llu,\"histogram\":[", (unsigned long long)count,
		(unsigned long long)(before - start), (unsigned long long)warmup + 1);
	histogram_print(histogram);
	puts("]}");
	free_message(back);
}

static void run_pong(unsigned char *m)
{
	unsigned char *last = m;
	uint64_t seq;

	for (seq = 1; seq <= warmup; seq++) {
		get(m, size);
		check(m, size, seq);
		get_crc(m, "warm-up", seq);
		put(m, size);
		put_crc(m);
	}
	for (seq = 1; seq <= count; seq++) {
		last = stage(m, seq);
		get(last, size);
		check(last, size, seq);
		put(last, size);
	}
	get_crc(last, "last", count);
	put_crc(last);
	printf("{\"count\":%llu}\n", (unsigned long long)count);
}

#endif
