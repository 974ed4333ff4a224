/* What the ends do with messages. */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include "../../internal/measure/ref/histogram.h"
#include "ends.h"
#include "message.h"

struct outcome {
	uint64_t count, bytes, ns;
	uint32_t *histogram;
};

static inline void *room_for(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		die("%zu bytes: %s", size, strerror(errno));
	return p;
}

static inline struct outcome produce(struct producer *p, uint64_t count, uint64_t most, bool vary, enum style style)
{
	unsigned char *message = room_for(most);
	struct outcome o = {0};

	for (uint64_t n = 1; n <= count; n++) {
		uint64_t size = size_of(n, most, vary);
		unsigned char *m = reserve(p, size);

		switch (style) {
		case COPY:
			stamp(message, size, n);
			memcpy(m, message, size);
			break;
		case IN_PLACE:
			stamp(m, size, n);
			break;
		case CHECK:
			fill(m, size, n);
		}
		commit(p, size);
		o.count++;
		o.bytes += size;
	}
	producer_close(p);
	free(message);
	return o;
}

/* To the end; the clock starts after the warm-up. */
static inline struct outcome consume(struct consumer *c, uint64_t warmup, enum style style)
{
	unsigned char *m, *message = room_for(ring_largest(c->capacity));
	uint64_t n = 0, start = now_ns();
	struct outcome o = {0};
	uint32_t size;

	while ((m = next(c, &size))) {
		n++;
		switch (style) {
		case COPY:
			memcpy(message, m, size);
			compare(message, size, n);
			break;
		case IN_PLACE:
			compare(m, size, n);
			break;
		case CHECK:
			verify(m, size, n);
		}
		release(c);
		o.count++;
		o.bytes += size;
		if (n == warmup) {
			o = (struct outcome){0};
			start = now_ns();
		}
	}
	o.ns = now_ns() - start;
	free(message);
	return o;
}

/* One message after the other, each timed there and back. */
static inline struct outcome ping(struct producer *p, struct consumer *back, uint64_t count, uint64_t size)
{
	struct outcome o = {.histogram = room_for(HISTOGRAM_SIZE * sizeof(uint32_t))};
	unsigned char *m, *message = room_for(size), *got = room_for(size);
	uint64_t before = now_ns(), now;
	uint32_t length;

	for (; o.count < count; before = now) {
		stamp(message, size, ++o.count);
		memcpy(reserve(p, size), message, size);
		commit(p, size);
		m = next(back, &length);
		if (!m)
			die("the ring is closed");
		if (length > size)
			length = size;
		memcpy(got, m, length);
		release(back);
		compare(got, length, o.count);
		now = now_ns();
		histogram_add(o.histogram, now - before);
		o.bytes += size;
	}
	producer_close(p);
	free(message);
	free(got);
	return o;
}

static inline struct outcome echo(struct consumer *c, struct producer *back)
{
	struct outcome o = {0};
	unsigned char *m;
	uint32_t size;

	while ((m = next(c, &size))) {
		compare(m, size, ++o.count);
		memcpy(reserve(back, size), m, size);
		commit(back, size);
		release(c);
		o.bytes += size;
	}
	producer_close(back);
	return o;
}

static inline bool is_empty(void *ring)
{
	struct ring *r = ring;

	return atomic_load(&r->head) == atomic_load(&r->tail);
}

static inline void print_outcome(const struct outcome *o, const char *verb, bool json)
{
	if (!json) {
		printf("%s %llu messages, %llu bytes\n", verb, (unsigned long long)o->count, (unsigned long long)o->bytes);
		return;
	}
	printf("{\"count\":%llu,\"bytes\":%llu,\"ns\":%llu", (unsigned long long)o->count,
		(unsigned long long)o->bytes, (unsigned long long)o->ns);
	if (o->histogram) {
		printf(",\"histogram\":[");
		histogram_print(o->histogram);
		putchar(']');
	}
	puts("}");
}

#endif
