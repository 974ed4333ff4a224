/*
 * filter.h - the filters, with the arithmetic of the Go program: the same bytes.
 *
 * Opaque pictures of 8 bits are blurred in fixed point, all else is done in floats: 0 to
 * 255 for opaque pictures of 8 bits, 0 to 65535 with colours multiplied by alpha else.
 */
#ifndef FILTER_H
#define FILTER_H

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

/* One value by a 3×3 matrix; l, c and 2c are the places left of it, its own, and right. */
static float matrix(enum filter f, const float *up, const float *here, const float *low, size_t c)
{
	size_t l = 0, m = c, r = 2 * c;

	if (f == SHARPEN)
		return 5 * here[m] - up[m] - low[m] - here[l] - here[r];
	if (f == EMBOSS)
		return here[m] + here[r] + low[m] - up[m] - here[l] + 2 * (low[r] - up[l]);
	float dx = up[r] - up[l] + 2 * (here[r] - here[l]) + low[r] - low[l];
	float dy = low[l] - up[l] + 2 * (low[m] - up[m]) + low[r] - up[r];
	return (float)sqrt((double)dx * dx + (double)dy * dy);
}

static float near_value(const struct task *t, float *const lines[3], size_t i)
{
	size_t c = t->in.channels;
	float own = lines[1][c + i], limit = most(&t->in);

	if (has_alpha(&t->in)) {
		if (i % c == c - 1)
			return own;
		limit = lines[1][c + i + c - 1 - i % c];
	}
	if (t->filter == INVERT)
		return limit - own;
	return within(matrix(t->filter, lines[0] + i, lines[1] + i, lines[2] + i, c), limit);
}

static void near_band(const struct task *t, size_t first, size_t last, _Atomic uint64_t *pixels)
{
	struct picture out = result_of(t);
	size_t c = t->in.channels, n = (size_t)t->in.width * c, h = t->in.height;
	float *lines[3], *sum = must(calloc(n, sizeof(float)));

	for (int i = 0; i < 3; i++)
		lines[i] = must(calloc(n + 2 * c, sizeof(float)));
	for (size_t y = first; y < last; y++) {
		for (size_t i = 0; i < 3; i++) {
			size_t row = y + i < 1 ? 0 : y + i - 1;

			load(t, lines[i] + c, row < h ? row : h - 1);
			memcpy(lines[i], lines[i] + c, c * sizeof(float));
			memcpy(lines[i] + n + c, lines[i] + n, c * sizeof(float));
		}
		for (size_t i = 0; t->filter != GRAYSCALE && i < n; i++)
			sum[i] = near_value(t, lines, i);
		for (size_t x = 0; t->filter == GRAYSCALE && x < t->in.width; x++) {
			const float *p = lines[1] + c + x * c;

			sum[x * out.channels] = c > 2 ? 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2] : p[0];
			if (out.channels == 2)
				sum[x * 2 + 1] = p[c - 1];
		}
		store(&out, t->result, sum, y);
		*pixels += t->in.width;
	}
	for (int i = 0; i < 3; i++)
		free(lines[i]);
	free(sum);
}

/* filter_band does rows first to last - 1, and counts the pixels done. */
static void filter_band(const struct task *t, size_t first, size_t last, _Atomic uint64_t *pixels)
{
	(t->filter == BLUR ? blur_band : near_band)(t, first, last, pixels);
}

#endif
