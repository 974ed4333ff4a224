/*
 * png.h - PNG files: read those of 8 and 16 bits that are not interlaced, write without
 * compression. Samples of 16 bits are in the machine's order in memory.
 */
#ifndef PNG_H
#define PNG_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "inflate.h"

struct picture {
	uint32_t width, height;
	int channels; /* 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha */
	int depth;    /* bits in a sample: 8 or 16 */
};

static inline size_t row_bytes(const struct picture *p)
{
	return (size_t)p->width * p->channels * p->depth / 8;
}

static inline size_t picture_bytes(const struct picture *p)
{
	return row_bytes(p) * p->height;
}

struct png {
	struct picture as;    /* in the file; 1 channel with a palette */
	uint8_t *file;
	size_t size;
	uint8_t *deflated;    /* the data of all IDAT chunks */
	size_t n;
	const uint8_t *palette;
	size_t colours;
};

static uint32_t crc32(uint32_t crc, const uint8_t *p, size_t n)
{
	static uint32_t table[256];

	if (table[1] == 0)
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = i;
			for (int k = 0; k < 8; k++)
				c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
			table[i] = c;
		}
	for (crc = ~crc; n > 0; n--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
	return ~crc;
}

static uint32_t big32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const char *png_head(struct png *f, const uint8_t *p, uint32_t n)
{
	static const int channels[7] = {1, 0, 3, 1, 2, 0, 4};

	if (n != 13 || p[10] != 0 || p[11] != 0)
		return "bad header";
	if ((p[8] != 8 && p[8] != 16) || p[9] > 6 || channels[p[9]] == 0 || p[12] != 0 || (p[9] == 3 && p[8] != 8))
		return "a kind of PNG that this program does not read";
	f->as = (struct picture){big32(p), big32(p + 4), channels[p[9]], p[8]};
	if (f->as.width < 1 || f->as.height < 1 || f->as.width > 1 << 20 || f->as.height > 1 << 20)
		return "each side must have 1 to 1048576 pixels";
	return NULL;
}

/* png_parse finds the parts of the file in memory; the result is what is wrong, or NULL. */
static const char *png_parse(struct png *f)
{
	const uint8_t *p = f->file, *end = f->file + f->size;
	const char *wrong = NULL;

	if (f->size < 8 || memcmp(p, "\x89PNG\r\n\x1a\n", 8) != 0)
		return "no PNG";
	f->deflated = malloc(f->size);
	if (!f->deflated)
		return "no memory";
	for (p += 8; !wrong;) {
		if (end - p < 12 || big32(p) > (size_t)(end - p - 12))
			return "unexpected end of the file";
		uint32_t n = big32(p);
		const uint8_t *data = p + 8;
		if (crc32(0, p + 4, n + 4) != big32(data + n))
			return "a checksum is wrong";
		if (memcmp(p + 4, "IHDR", 4) == 0) {
			wrong = png_head(f, data, n);
		} else if (memcmp(p + 4, "PLTE", 4) == 0) {
			f->palette = data;
			f->colours = n / 3;
		} else if (memcmp(p + 4, "tRNS", 4) == 0) {
			wrong = "a kind of PNG that this program does not read";
		} else if (memcmp(p + 4, "IDAT", 4) == 0) {
			memcpy(f->deflated + f->n, data, n);
			f->n += n;
		} else if (memcmp(p + 4, "IEND", 4) == 0) {
			return f->as.width ? NULL : "no header";
		}
		p = data + n + 4;
	}
	return wrong;
}

/* unfilter undoes the difference of a scanline to its neighbours. */
static int unfilter(uint8_t *line, const uint8_t *above, size_t n, size_t step, int kind)
{
	for (size_t i = 0; i < n; i++) {
		int a = i < step ? 0 : line[i - step], b = above ? above[i] : 0;
		int c = above && i >= step ? above[i - step] : 0;
		int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);

		switch (kind) {
		case 0: break;
		case 1: line[i] += a; break;
		case 2: line[i] += b; break;
		case 3: line[i] += (a + b) / 2; break;
		case 4: line[i] += pa <= pb && pa <= pc ? a : pb <= pc ? b : c; break;
		default: return -1;
		}
	}
	return 0;
}

/* png_form is the form of the picture in memory, alpha included if there may be some. */
static struct picture png_form(const struct png *f)
{
	struct picture p = f->as;

	p.channels = f->palette && p.channels == 1 ? 3 : p.channels == 2 ? 4 : p.channels;
	return p;
}

/* widen puts a row of a file into memory: palettes and grey with alpha become RGB. */
static int widen(const struct png *f, const struct picture *as, const uint8_t *from, uint8_t *to)
{
	size_t size = as->depth / 8;

	for (size_t x = 0; x < as->width; x++) {
		for (int c = 0; c < as->channels; c++, to += size) {
			const uint8_t *s = from + (x * f->as.channels + c) * size;

			if (f->palette && f->as.channels == 1) {
				if (from[x] >= f->colours)
					return -1;
				s = f->palette + 3 * from[x] + c;
			} else if (f->as.channels == 2) {
				s = from + (2 * x + (c == 3)) * size;
			}
			if (size == 1)
				*to = *s;
			else
				memcpy(to, &(uint16_t){(uint16_t)(s[0] << 8 | s[1])}, 2);
		}
	}
	return 0;
}

/* png_pixels decodes into rows, which has room for png_form's. */
static const char *png_pixels(const struct png *f, uint8_t *rows)
{
	struct picture as = png_form(f);
	size_t n = row_bytes(&f->as), step = (size_t)f->as.channels * f->as.depth / 8;
	uint8_t *raw = malloc((n + 1) * f->as.height);
	const char *wrong = NULL;

	if (!raw)
		return "no memory";
	if (inflate_zlib(f->deflated, f->n, raw, (n + 1) * f->as.height))
		wrong = "damaged pixels";
	for (size_t y = 0; y < f->as.height && !wrong; y++) {
		uint8_t *line = raw + y * (n + 1);
		if (unfilter(line + 1, y ? line - n : NULL, n, step, line[0]) ||
		    widen(f, &as, line + 1, rows + y * row_bytes(&as)))
			wrong = "damaged pixels";
	}
	free(raw);
	return wrong;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void chunk(FILE *f, const char *name, const uint8_t *data, size_t n)
{
	uint8_t head[8], tail[4];

	put32(head, (uint32_t)n);
	memcpy(head + 4, name, 4);
	put32(tail, crc32(crc32(0, head + 4, 4), data, n));
	fwrite(head, 1, 8, f);
	fwrite(data, 1, n, f);
	fwrite(tail, 1, 4, f);
}

/* png_write stores each scanline in blocks of a chunk of its own. */
static int png_write(FILE *f, const struct picture *p, const uint8_t *rows)
{
	size_t n = row_bytes(p) + 1, blocks = (n + 65534) / 65535;
	uint8_t head[13] = {0}, *line = malloc(n), *text = malloc(n + 5 * blocks + 16);
	uint64_t a = 1, b = 0;

	if (!line || !text)
		return -1;
	put32(head, p->width);
	put32(head + 4, p->height);
	head[8] = (uint8_t)p->depth;
	head[9] = (uint8_t[]){0, 0, 4, 2, 6}[p->channels];
	fwrite("\x89PNG\r\n\x1a\n", 1, 8, f);
	chunk(f, "IHDR", head, 13);
	chunk(f, "IDAT", (const uint8_t *)"\x78\x01", 2);
	for (size_t y = 0; y < p->height; y++) {
		size_t at = 0;

		line[0] = 0;
		memcpy(line + 1, rows + y * (n - 1), n - 1);
		for (size_t i = 1; p->depth == 16 && i < n; i += 2) {
			uint16_t v;
			memcpy(&v, line + i, 2);
			line[i] = (uint8_t)(v >> 8);
			line[i + 1] = (uint8_t)v;
		}
		for (size_t i = 0; i < n; i += 65535) {
			size_t part = n - i < 65535 ? n - i : 65535;

			text[at++] = y == p->height - 1 && i + part == n;
			text[at++] = (uint8_t)part;
			text[at++] = (uint8_t)(part >> 8);
			text[at++] = (uint8_t)~part;
			text[at++] = (uint8_t)(~part >> 8);
			memcpy(text + at, line + i, part);
			at += part;
		}
		for (size_t i = 0; i < n; i++) {
			a = (a + line[i]) % 65521;
			b = (b + a) % 65521;
		}
		chunk(f, "IDAT", text, at);
	}
	put32(head, (uint32_t)(b << 16 | a));
	chunk(f, "IDAT", head, 4);
	chunk(f, "IEND", head, 0);
	free(line);
	free(text);
	return ferror(f) ? -1 : 0;
}

#endif
