/*
 * inflate.h - decompression of the zlib format (RFC 1950 and 1951) from memory to memory.
 */
#ifndef INFLATE_H
#define INFLATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CODE_BITS = 15 };

struct inflate {
	const uint8_t *in;
	size_t next, n; /* bytes of it */
	uint64_t bits; /* read and not yet used, the next one lowest */
	int have;      /* of them */
	uint8_t *out, *at, *out_end;
};

/* For each CODE_BITS bits that may come next: the symbol << 4 | the length of its code. */
struct code {
	uint16_t next[1 << CODE_BITS];
};

static uint32_t look(struct inflate *s, int n)
{
	while (s->have < n) {
		/* Behind the end there are zeros; take() finds out if they are used. */
		s->bits |= (uint64_t)(s->next < s->n ? s->in[s->next] : 0) << s->have;
		s->next++;
		s->have += 8;
	}
	return (uint32_t)(s->bits & ((1ull << n) - 1));
}

static int drop(struct inflate *s, int n)
{
	s->bits >>= n;
	s->have -= n;
	return s->next - s->have / 8 <= s->n ? 0 : -1;
}

static int take(struct inflate *s, int n, uint32_t *value)
{
	*value = look(s, n);
	return drop(s, n);
}

/* build makes a code of the lengths of its words; -1 if no code has those. */
static int build(struct code *c, const uint8_t *lengths, int count)
{
	int used[CODE_BITS + 1] = {0}, word[CODE_BITS + 2] = {0}, free = 1;

	for (int i = 0; i < count; i++)
		used[lengths[i]]++;
	used[0] = 0;
	for (int n = 1; n <= CODE_BITS; n++) {
		free = free * 2 - used[n];
		if (free < 0)
			return -1;
		word[n + 1] = (word[n] + used[n]) << 1;
	}
	memset(c->next, 0, sizeof(c->next));
	for (int i = 0; i < count; i++) {
		int n = lengths[i], reversed = 0;

		if (n == 0)
			continue;
		for (int b = 0; b < n; b++)
			reversed |= (word[n] >> b & 1) << (n - 1 - b);
		word[n]++;
		for (; reversed < 1 << CODE_BITS; reversed += 1 << n)
			c->next[reversed] = (uint16_t)(i << 4 | n);
	}
	return 0;
}

static int symbol(struct inflate *s, const struct code *c)
{
	int next = c->next[look(s, CODE_BITS)];

	return (next & 15) == 0 || drop(s, next & 15) ? -1 : next >> 4;
}

/* The lengths of a block's two codes are themselves in a code. */
static int read_codes(struct inflate *s, struct code *literals, struct code *distances)
{
	static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
	uint8_t lengths[288 + 32] = {0};
	uint32_t nlit, ndist, ncode, v;

	if (take(s, 5, &nlit) || take(s, 5, &ndist) || take(s, 4, &ncode))
		return -1;
	nlit += 257;
	ndist++;
	for (uint32_t i = 0; i < ncode + 4; i++) {
		if (take(s, 3, &v))
			return -1;
		lengths[order[i]] = (uint8_t)v;
	}
	if (build(literals, lengths, 19))
		return -1;
	memset(lengths, 0, 19);
	for (uint32_t n = 0; n < nlit + ndist;) {
		int sym = symbol(s, literals);
		uint8_t value = 0;

		if (sym < 0)
			return -1;
		if (sym < 16) {
			lengths[n++] = (uint8_t)sym;
			continue;
		}
		if (take(s, sym == 16 ? 2 : sym == 17 ? 3 : 7, &v) || (sym == 16 && n == 0))
			return -1;
		if (sym == 16)
			value = lengths[n - 1];
		for (v += sym == 18 ? 11 : 3; v > 0; v--) {
			if (n == nlit + ndist)
				return -1;
			lengths[n++] = value;
		}
	}
	return build(literals, lengths, (int)nlit) || build(distances, lengths + nlit, (int)ndist) ? -1 : 0;
}

static int fixed_codes(struct code *literals, struct code *distances)
{
	uint8_t lengths[288];

	for (int i = 0; i < 288; i++)
		lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	build(literals, lengths, 288);
	memset(lengths, 5, 30);
	return build(distances, lengths, 30);
}

/* Lengths and distances grow by steps that double every few symbols. */
static int extended(struct inflate *s, int sym, int first, int per_step, uint32_t *value)
{
	int extra = sym < 2 * per_step ? 0 : sym / per_step - 1;
	uint32_t more;

	if (take(s, extra, &more))
		return -1;
	*value = extra == 0 ? (uint32_t)(first + sym) : first + ((uint32_t)(per_step + sym % per_step) << extra) + more;
	return 0;
}

static int coded_block(struct inflate *s, const struct code *literals, const struct code *distances)
{
	for (;;) {
		int sym = symbol(s, literals);
		uint32_t length = 258, distance;

		if (sym < 0 || sym > 285)
			return -1;
		if (sym == 256)
			return 0;
		if (sym < 256) {
			if (s->at == s->out_end)
				return -1;
			*s->at++ = (uint8_t)sym;
			continue;
		}
		if (sym < 285 && extended(s, sym - 257, 3, 4, &length))
			return -1;
		sym = symbol(s, distances);
		if (sym < 0 || sym > 29 || extended(s, sym, 1, 2, &distance))
			return -1;
		if (distance > (size_t)(s->at - s->out) || length > (size_t)(s->out_end - s->at))
			return -1;
		for (; length > 0; length--, s->at++)
			*s->at = s->at[-(ptrdiff_t)distance];
	}
}

static int stored_block(struct inflate *s)
{
	uint32_t length, complement;

	drop(s, s->have % 8);
	if (take(s, 16, &length) || take(s, 16, &complement) || (length ^ complement) != 0xffff)
		return -1;
	s->next -= s->have / 8; /* give back what was looked at */
	s->have = 0;
	s->bits = 0;
	if (length > s->n - s->next || length > (size_t)(s->out_end - s->at))
		return -1;
	memcpy(s->at, s->in + s->next, length);
	s->next += length;
	s->at += length;
	return 0;
}

static uint32_t adler32(const uint8_t *p, size_t n)
{
	uint32_t a = 1, b = 0;

	while (n > 0) {
		size_t part = n < 5552 ? n : 5552; /* as many as cannot overflow */

		n -= part;
		for (; part > 0; part--)
			b += a += *p++;
		a %= 65521;
		b %= 65521;
	}
	return b << 16 | a;
}

/* inflate_zlib fills all of out; -1 if the text is no zlib stream of that length. */
static int inflate_zlib(const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
	static struct code literals, distances;
	struct inflate s = {.in = in, .n = n, .out = out, .at = out, .out_end = out + room};
	uint32_t v, last, kind, check = 0;

	if (take(&s, 16, &v) || (v & 15) != 8 || ((v & 255) << 8 | v >> 8) % 31 != 0 || v & 0x2000)
		return -1;
	do {
		if (take(&s, 1, &last) || take(&s, 2, &kind) || kind == 3)
			return -1;
		if (kind == 0) {
			if (stored_block(&s))
				return -1;
			continue;
		}
		if (kind == 1 ? fixed_codes(&literals, &distances) : read_codes(&s, &literals, &distances))
			return -1;
		if (coded_block(&s, &literals, &distances))
			return -1;
	} while (!last);
	drop(&s, s.have % 8);
	for (int i = 0; i < 4; i++) {
		if (take(&s, 8, &v))
			return -1;
		check = check << 8 | v;
	}
	return s.at == s.out_end && check == adler32(out, room) ? 0 : -1;
}

#endif
