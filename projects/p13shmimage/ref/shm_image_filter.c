/*
 * shm_image_filter - filter a picture by processes that share it in a System V segment.
 *
 *	shm_image_filter input.png output.png --filter=blur --workers=4
 */
#include <getopt.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include "workers.h"

static const char *const names[FILTERS] = {"blur", "sharpen", "edge", "emboss", "grayscale", "invert"};
static const char *const titles[FILTERS] = {"Gaussian blur", "Sharpen", "Edge detection (Sobel)", "Emboss",
	"Grayscale", "Invert"};

static const char *megabytes(size_t n)
{
	static char text[32];
	const char *unit = "B";

	if (n >= 1024)
		n = (n + 512) / 1024, unit = "KB";
	if (n >= 1024)
		n = (n + 512) / 1024, unit = "MB";
	snprintf(text, sizeof(text), "%zu%s", n, unit);
	return text;
}

static void read_file(struct png *f, const char *name)
{
	FILE *in = fopen(name, "rb");
	struct stat st;

	if (!in || fstat(fileno(in), &st) == -1)
		die("open %s: %s", name, strerror(errno));
	f->size = (size_t)st.st_size;
	f->file = malloc(f->size + 1);
	if (!f->file)
		die("%s: no memory", name);
	f->size = fread(f->file, 1, f->size, in);
	if (ferror(in))
		die("read %s: %s", name, strerror(errno));
	fclose(in);
}

/* What has alpha but hides nothing becomes a picture without. */
static void drop_opaque(struct picture *p, uint8_t *rows)
{
	size_t size = p->depth / 8, n = (size_t)p->width * p->height;

	for (size_t i = 0; p->channels == 4 && i < n; i++)
		for (size_t b = 0; b < size; b++)
			if (rows[(4 * i + 3) * size + b] != 255)
				return;
	if (p->channels != 4)
		return;
	for (size_t i = 0; i < n; i++)
		memmove(rows + 3 * i * size, rows + 4 * i * size, 3 * size);
	p->channels = 3;
}

static void write_result(const struct task *t, const char *name)
{
	struct picture out = result_of(t);
	const char *slash = strrchr(name, '/');
	int folder = slash ? (int)(slash + 1 - name) : 0;
	struct stat st;
	bool in_place = stat(name, &st) == 0 && !S_ISREG(st.st_mode);
	char *hidden = malloc(strlen(name) + 8);
	FILE *f;

	if (!hidden)
		die("no memory");
	sprintf(hidden, "%.*s.%s.part", folder, name, name + folder);
	f = fopen(in_place ? name : hidden, "wb");
	if (!f)
		die("open %s: %s", name, strerror(errno));
	part = in_place ? NULL : hidden;
	bool bad = png_write(f, &out, t->result) != 0;
	if (fclose(f) != 0 || bad || (part && rename(part, name) == -1))
		die("write %s: %s", name, strerror(errno));
	part = NULL;
	free(hidden);
}

static void run(const char *input, const char *output, struct task *t, int n, bool compare, size_t limit)
{
	struct png f = {0};
	read_file(&f, input);
	const char *wrong = png_parse(&f);
	if (wrong)
		die("%s: %s", input, wrong);
	t->in = png_form(&f);
	struct picture out = result_of(t);
	size_t head = ((n + 1) * sizeof(struct slot) + 4095) / 4096 * 4096;
	size_t source = (picture_bytes(&t->in) + 4095) / 4096 * 4096, need = head + source + picture_bytes(&out);
	if (need > limit << 20)
		die("%s: %ux%u pixels need %zu MiB of shared memory, more than --memory allows (%zu MiB)", input,
			t->in.width, t->in.height, (need + (1 << 20) - 1) >> 20, limit);
	/* Removed at once, the segment is gone when the last process has detached it. */
	int id = shmget(IPC_PRIVATE, need, 0600);
	char *memory = id == -1 ? (void *)-1 : shmat(id, NULL, 0);
	int failed = errno;
	if (id != -1)
		shmctl(id, IPC_RMID, NULL);
	if (memory == (void *)-1)
		die("%zu bytes of shared memory: %s", need, strerror(failed));
	struct slot *slots = (struct slot *)memory;
	uint8_t *rows = (uint8_t *)memory + head;
	if ((wrong = png_pixels(&f, rows)))
		die("%s: %s", input, wrong);
	drop_opaque(&t->in, rows);
	t->source = rows;
	t->result = rows + source;
	free(f.file);
	free(f.deflated);

	printf("Shared Memory Image Processor\nImage: %ux%u (%s)\nWorkers: %d\nFilter: %s", t->in.width, t->in.height,
		megabytes(picture_bytes(&t->in)), n, titles[t->filter]);
	if (t->filter == BLUR)
		printf(" (sigma %g, %zu taps)", t->sigma, 2 * radius_of(t->sigma) + 1);
	printf("\n\n[Master] Loaded image into shared memory (shmid=%d)\n", id);
	share(slots, n, t->in.height);
	for (int i = 0; i < n; i++)
		if (slots[i].first == slots[i].last)
			printf("[Worker %d] Processing no rows\n", i + 1);
		else
			printf("[Worker %d] Processing rows %u-%u\n", i + 1, slots[i].first, slots[i].last - 1);
	double total = phase(t, slots, 0, n, true), alone = 0;
	if (compare) {
		share(slots + n, 1, t->in.height);
		alone = phase(t, slots, n, n + 1, false);
	}
	puts("[Master] All workers complete, writing output");
	write_result(t, output);
	printf("\nTotal time: %s", milliseconds(total));
	if (compare)
		printf(" (vs %s single-threaded)\nSpeedup: %.2fx with %d worker%s", milliseconds(alone), alone / total, n,
			n == 1 ? "" : "s");
	putchar('\n');
	shmdt(memory);
}

static void help(void)
{
	puts("usage: shm_image_filter [flags] input output\n\n"
	     "Filters a picture (PNG) by worker processes, each some rows of it, which\n"
	     "share it in a System V shared memory segment. The output is PNG.\n"
	     "Filters: blur, sharpen, edge, emboss, grayscale, invert.\n\n"
	     "flags:\n"
	     "      --filter string   what to do (default \"blur\")\n"
	     "      --sigma float     width of the blur: its standard deviation in pixels, up to 100 (default 5)\n"
	     "      --workers int     number of worker processes (default 4)\n"
	     "      --no-compare      do not time one worker alone as well\n"
	     "      --portable        do not use the processor's vector unit (this program never does by itself)\n"
	     "      --memory int      MiB that the shared memory may have (default 8192)\n"
	     "  -h, --help            show this help\n\n"
	     "example:\n"
	     "  shm_image_filter input.png output.png --filter=blur --workers=4");
	exit(0);
}

__attribute__((noreturn)) static void usage(const char *wrong)
{
	fprintf(stderr, "shm_image_filter: %s\nTry 'shm_image_filter --help'.\n", wrong);
	exit(2);
}

static double number(const char *text, double least, double highest, const char *wrong)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= least && v <= highest))
		usage(wrong);
	return v;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"filter", required_argument, NULL, 'f'}, {"sigma", required_argument, NULL, 's'},
		{"workers", required_argument, NULL, 'w'}, {"no-compare", no_argument, NULL, 'n'},
		{"portable", no_argument, NULL, 'p'}, {"memory", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'}, {0},
	};
	struct task t = {.filter = BLUR, .sigma = 5};
	int n = 4, option;
	double limit = 8192;
	bool compare = true;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'f') {
			for (t.filter = 0; t.filter < FILTERS && strcmp(names[t.filter], optarg) != 0; t.filter++)
				;
			if (t.filter == FILTERS)
				usage("there is no such filter: there are blur, sharpen, edge, emboss, grayscale, invert");
		} else if (option == 's') {
			t.sigma = number(optarg, 1e-300, 100, "--sigma must be over 0 and at most 100");
		} else if (option == 'w') {
			n = (int)number(optarg, 1, MAX_WORKERS, "--workers must be 1 to 256");
		} else if (option == 'm') {
			limit = number(optarg, 1, 1e12, "--memory must be at least 1");
		} else if (option == 'n') {
			compare = false;
		} else if (option == 'h') {
			help();
		} else if (option == '?') {
			usage("unknown flag, or one without its value");
		}
	}
	if (argc - optind != 2)
		usage("needs an input and an output");
	const char *ext = strrchr(argv[optind + 1], '.');
	if (!ext || strcasecmp(ext, ".png") != 0)
		usage("the name of the output must end in .png");
	struct sigaction action = {.sa_handler = on_signal}, old;
	for (int i = 0; i < 2; i++) {
		int sig = i ? SIGTERM : SIGINT;
		if (sigaction(sig, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(sig, &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	run(argv[optind], argv[optind + 1], &t, n, compare, (size_t)limit);
	if (fflush(stdout) == EOF)
		die("write to standard output: %s", strerror(errno));
	return 0;
}
