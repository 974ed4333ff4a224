/* layout.c - says how the C reference reads pages that come on standard input */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "../ref/layout.h"

static char page[PAGE];

int main(int argc, char **argv)
{
	(void)argc;
	if (fread(page, 1, PAGE, stdin) != PAGE)
		return 1;
	if (!strcmp(argv[1], "header")) {
		struct header *h = (void *)page;

		printf("%.8s %u %u %08x %d\n", h->magic, h->version, h->page_size, h->crc,
		       h->crc == crc32c(page, PAGE - 4));
	} else if (!strcmp(argv[1], "meta")) {
		struct meta *m = (void *)page;
		struct listed *l = &m->list[m->listed - 1];

		printf("%d %u %ju %u %u %ju %u %u %u %u %u %u: %u %u %u\n", meta_ok(m, m->number), m->number,
		       (uintmax_t)m->tx, m->root, m->depth, (uintmax_t)m->records, m->pages, m->log, m->log_len,
		       m->free, m->listed, m->flushed, l->page, l->run, l->crc);
	} else if (!strcmp(argv[1], "page")) {
		struct page *p = (void *)page;
		struct entry *e = &p->log.entry[p->count - 1];

		printf("%d %u %ju %u %u %u %u: %u %u %ju %u %u\n", p->crc == crc32c(page + 4, PAGE - 4), p->number,
		       (uintmax_t)p->tx, p->kind, p->count, p->skip, p->bottom, p->head[0], p->log.before,
		       (uintmax_t)e->tx, e->page, e->run);
	} else {
		printf("%zu %zu %zu %zu %zu %zu %d %d %d %d %08x\n", sizeof(struct lock_file),
		       offsetof(struct lock_file, newest), offsetof(struct lock_file, durable),
		       offsetof(struct lock_file, failed), offsetof(struct lock_file, used),
		       offsetof(struct lock_file, slot[1].tx), MAX_KEY, MAX_VALUE, INLINE_LIMIT, MAX_DEPTH,
		       head_of((uint8_t *)"prefix\xff", 7, 5));
	}
	return 0;
}
