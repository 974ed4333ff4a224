/*
 * filter.h - the other filters, and the choice among all.
 */
#ifndef FILTER_H
#define FILTER_H

#include "blur.h"

/* One value by a 3×3 matrix; l, c and 2c are the places left of it, its own, and right. */
static float matrix(enum filter f, const float *up, const float *here, const float *low, size_t c)
{
	size_t l = 0, m = c, r = 2 * c;

	if (f == SHARPEN)
		return 5 * here[m] - (up[m] + low[m]) - (here[l] + here[r]);
	if (f == EMBOSS)
		return here[m] + here[r] + low[m] + 2 * low[r] - (up[m] + here[l]) - 2 * up[l];
	float dx = up[r] + low[r] + 2 * here[r] - (up[l] + low[l]) - 2 * here[l];
	float dy = low[l] + low[r] + 2 * low[m] - (up[l] + up[r]) - 2 * up[m];
	return sqrtf(dx * dx + dy * dy);
}

static float near_value(const struct task *t, float *const lines[3], size_t i)
{
	size_t c = t->in.channels;

	if (has_alpha(&t->in) && i % c == c - 1)
		return lines[1][c + i];
	return matrix(t->filter, lines[0] + i, lines[1] + i, lines[2] + i, c);
}

static void near_band(const struct task *t, size_t first, size_t last, _Atomic uint64_t *pixels)
{
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
		for (size_t i = 0; i < n; i++)
			sum[i] = near_value(t, lines, i);
		store(&t->in, t->result, sum, y);
		*pixels += t->in.width;
	}
	for (int i = 0; i < 3; i++)
		free(lines[i]);
	free(sum);
}

/*
 * Filters that look at one pixel. Multiplying by alpha and dividing again would change
 * nothing, but for pixels that cannot be seen: those become black.
 */
static void points_band(const struct task *t, size_t first, size_t last, _Atomic uint64_t *pixels)
{
	struct picture out = result_of(t);
	size_t c = t->in.channels, to = out.channels, wide = t->in.depth == 16, most = wide ? 65535 : 255;

	for (size_t i = first * t->in.width; i < last * t->in.width; i++) {
		uint32_t v[4];

		for (size_t k = 0; k < c; k++)
			v[k] = wide ? ((const uint16_t *)t->source)[i * c + k] : t->source[i * c + k];
		uint32_t alpha = has_alpha(&t->in) ? v[c - 1] : 1;
		if (t->filter == GRAYSCALE && c > 2) {
			v[0] = (19595 * v[0] + 38470 * v[1] + 7471 * v[2] + (1 << 15)) >> 16;
			v[to - 1] = to == 2 ? alpha : v[0];
		}
		for (size_t k = 0; k < to; k++) {
			if (t->filter == INVERT && !(has_alpha(&t->in) && k == c - 1))
				v[k] = most - v[k];
			if (wide)
				((uint16_t *)t->result)[i * to + k] = (uint16_t)(alpha ? v[k] : 0);
			else
				t->result[i * to + k] = (uint8_t)(alpha ? v[k] : 0);
		}
		if (i % t->in.width == 0)
			*pixels += t->in.width;
	}
}

/* filter_band does rows first to last - 1, and counts the pixels done. */
static void filter_band(const struct task *t, size_t first, size_t last, _Atomic uint64_t *pixels)
{
	bool points = t->filter == GRAYSCALE || t->filter == INVERT;

	(t->filter == BLUR ? blur_band : points ? points_band : near_band)(t, first, last, pixels);
}

#endif
