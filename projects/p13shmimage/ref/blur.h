/*
 * blur.h - the blur: opaque pictures of 8 bits in fixed point, all others in floats.
 */
#ifndef BLUR_H
#define BLUR_H

#include "samples.h"

/* A blur: rows, blurred across, wait in a ring for being summed up along the columns. */
struct blur {
	const struct task *t;
	bool fixed;
	size_t radius, values, size; /* values in a row, bytes in a value */
	double *weights;             /* at distances 0 (half of it) to radius: the sum is 1/2 */
	uint32_t *units;             /* the same, in units of 1/65536 */
	char *row, *ring, *sum;
	const void **a, **b;         /* pairs of rows that have the same weight */
};

static size_t radius_of(double sigma)
{
	double r = ceil(3 * sigma);

	return r < 1 ? 1 : (size_t)r;
}

static void weigh(struct blur *b, double sigma)
{
	double sum = 0;

	for (size_t k = 0; k <= b->radius; k++) {
		b->weights[k] = exp(-(double)(k * k) / (2 * sigma * sigma)) / (k ? 1 : 2);
		sum += 2 * b->weights[k];
	}
	b->units[0] = 32768;
	for (size_t k = 0; k <= b->radius; k++) {
		b->weights[k] /= sum;
		if (k > 0)
			b->units[0] -= b->units[k] = (uint32_t)floor(65536 * b->weights[k] + 0.5);
	}
}

static void add_fixed(uint16_t *restrict sum, const uint16_t *x, const uint16_t *y, uint32_t weight, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] = (uint16_t)(sum[i] + ((x[i] + (uint32_t)y[i]) * weight >> 16));
}

static void add_float(float *restrict sum, const float *x, const float *y, float weight, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += (x[i] + y[i]) * weight;
}

static void add(const struct blur *b, void *sum)
{
	memset(sum, 0, b->values * b->size);
	for (size_t i = 0; b->fixed && i < b->values; i++)
		((uint16_t *)sum)[i] = (uint16_t)((b->radius + 1) / 2); /* each term is rounded down */
	for (size_t k = 0; k <= b->radius; k++)
		if (b->fixed)
			add_fixed(sum, b->a[k], b->b[k], b->units[k], b->values);
		else
			add_float(sum, b->a[k], b->b[k], (float)b->weights[k], b->values);
}

static char *slot(const struct blur *b, size_t y)
{
	return b->ring + y % (2 * b->radius + 1) * b->values * b->size;
}

static void across(struct blur *b, size_t y)
{
	size_t c = b->t->in.channels, pixel = c * b->size, r = b->radius, w = b->t->in.width;
	char *inside = b->row + r * pixel;

	if (b->fixed)
		for (size_t i = 0; i < b->values; i++)
			((uint16_t *)inside)[i] = (uint16_t)(b->t->source[y * row_bytes(&b->t->in) + i] << 7);
	else
		load(b->t, (float *)inside, y);
	for (size_t x = 0; x < r; x++) {
		memcpy(b->row + x * pixel, inside, pixel);
		memcpy(inside + (w + x) * pixel, inside + (w - 1) * pixel, pixel);
	}
	for (size_t k = 0; k <= r; k++) {
		b->a[k] = b->row + (r - k) * pixel;
		b->b[k] = b->row + (r + k) * pixel;
	}
	add(b, slot(b, y));
}

static void down(struct blur *b, size_t y)
{
	const struct picture *p = &b->t->in;

	for (size_t k = 0; k <= b->radius; k++) {
		b->a[k] = slot(b, y < k ? 0 : y - k);
		b->b[k] = slot(b, y + k < p->height ? y + k : p->height - 1);
	}
	add(b, b->sum);
	if (!b->fixed) {
		store(p, b->t->result, (float *)b->sum, y);
		return;
	}
	for (size_t i = 0; i < b->values; i++) {
		uint32_t v = (((uint16_t *)b->sum)[i] + 64u) >> 7;
		b->t->result[y * row_bytes(p) + i] = (uint8_t)(v < 255 ? v : 255);
	}
}

static void blur_band(const struct task *t, size_t first, size_t last, _Atomic uint64_t *pixels)
{
	struct blur b = {.t = t, .radius = radius_of(t->sigma), .values = (size_t)t->in.width * t->in.channels};
	size_t n = b.radius + 1, next = first < b.radius ? 0 : first - b.radius;

	b.fixed = most(&t->in) == 255 && b.radius <= 60;
	b.size = b.fixed ? 2 : 4;
	b.weights = must(calloc(n, sizeof(double)));
	b.units = must(calloc(n, sizeof(uint32_t)));
	b.a = must(calloc(n, sizeof(void *)));
	b.b = must(calloc(n, sizeof(void *)));
	b.row = must(calloc(t->in.width + 2 * b.radius, t->in.channels * b.size));
	b.ring = must(calloc(2 * b.radius + 1, b.values * b.size));
	b.sum = must(calloc(b.values, b.size));
	weigh(&b, t->sigma);
	for (size_t y = first; y < last; y++) {
		for (; next < t->in.height && next <= y + b.radius; next++)
			across(&b, next);
		down(&b, y);
		*pixels += t->in.width;
	}
	free(b.weights), free(b.units), free(b.a), free(b.b), free(b.row), free(b.ring), free(b.sum);
}

#endif
