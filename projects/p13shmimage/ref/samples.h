/*
 * samples.h - rows of a picture as numbers and back, with the arithmetic of the Go program:
 * the same bytes. Opaque pictures of 8 bits have 0 to 255; others have 0 to 65535, and
 * colours multiplied by their alpha.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <math.h>
#include <stdatomic.h>

#include "png.h"

enum filter { BLUR, SHARPEN, EDGE, EMBOSS, GRAYSCALE, INVERT, FILTERS };

struct task {
	enum filter filter;
	double sigma;
	struct picture in;
	const uint8_t *source;
	uint8_t *result;
};

static inline bool has_alpha(const struct picture *p)
{
	return p->channels % 2 == 0;
}

static inline float most(const struct picture *p)
{
	return p->depth == 8 && !has_alpha(p) ? 255 : 65535;
}

static inline struct picture result_of(const struct task *t)
{
	struct picture p = t->in;

	if (t->filter == GRAYSCALE && p.channels > 2)
		p.channels -= 2;
	return p;
}

static inline void *must(void *p)
{
	if (!p)
		abort(); /* a worker's end: the master says so */
	return p;
}

/* load puts a row into dst. Colours that cannot be seen must not colour their neighbours. */
static void load(const struct task *t, float *dst, size_t y)
{
	const uint8_t *row = t->source + y * row_bytes(&t->in);
	int c = t->in.channels;
	float scale = most(&t->in) / 255;

	for (size_t i = 0; i < (size_t)t->in.width * c; i++)
		dst[i] = t->in.depth == 16 ? ((const uint16_t *)row)[i] : row[i] * scale;
	if (!has_alpha(&t->in))
		return;
	for (size_t x = 0; x < t->in.width; x++, dst += c)
		for (int i = 0; i < c - 1; i++)
			dst[i] = dst[i] * dst[c - 1] / 65535;
}

static inline float within(float v, float limit)
{
	return v < 0 ? 0 : v > limit ? limit : v;
}

static void store(const struct picture *p, uint8_t *rows, float *src, size_t y)
{
	uint8_t *row = rows + y * row_bytes(p);
	int c = p->channels;
	float scale = most(p) / 255;

	for (size_t x = 0; has_alpha(p) && x < p->width; x++)
		for (int i = 0; i < c - 1; i++) {
			float alpha = src[x * c + c - 1];
			src[x * c + i] = alpha < 0.5f ? 0 : src[x * c + i] * 65535 / alpha;
		}
	for (size_t i = 0; i < (size_t)p->width * c; i++) {
		if (p->depth == 16)
			((uint16_t *)row)[i] = (uint16_t)(within(src[i], 65535) + 0.5f);
		else
			row[i] = (uint8_t)(within(src[i] / scale, 255) + 0.5f);
	}
}

#endif
