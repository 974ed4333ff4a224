/* A ring of bytes in shared memory beside a pipe and a Unix socket. */
#include <getopt.h>
#include <sys/socket.h>

#include "../../internal/cli/ref/amount.h"
#include "processes.h"

static const char help[] =
	"usage: shm_ringbuffer_bench [flags]\n\n"
	"Sends messages through a ring in shared memory between two processes, each with its number\n"
	"checked, and a tenth as many through a pipe and a Unix socket. The latency is half of a\n"
	"round trip through two rings.\n\n"
	"flags:\n"
	"  -h, --help                 show this help\n"
	"      --buffer-size string   bytes of the ring, a power of two (default 1MB)\n"
	"      --iterations string    messages: 1000, 10K, 10M (default 1M)\n"
	"      --msg-size string      bytes in a message, at least 16: 64, 1KB (of 1024) (default 1KB)\n"
	"      --batch string         bytes to keep back before they are published; 0: every message at once (default an eighth of the ring)\n"
	"      --in-place             only numbers are written and compared, in the ring: nothing is copied\n\n"
	"example:\n"
	"  shm_ringbuffer_bench --buffer-size=1MB --iterations=10M\n"
	"  shm_ringbuffer_bench --msg-size=64 --batch=0\n";

static uint64_t iterations = 1000 * 1000, batch = UINT64_MAX;
static enum style style = COPY;

static void ring_send(void)
{
	struct producer p;

	producer_init(&p, rings[0], never);
	p.batch = batch;
	produce(&p, shared->count + shared->warmup, size, false, style);
}

static void ring_receive(void)
{
	struct consumer c;
	struct outcome o;

	consumer_init(&c, rings[0], never);
	o = consume(&c, shared->warmup, style);
	if (o.count != shared->count)
		die("%llu messages arrived", (unsigned long long)o.count);
	shared->ns = o.ns;
}

static void ring_ping(void)
{
	struct producer p;
	struct consumer c;
	struct outcome o;

	producer_init(&p, rings[0], never);
	consumer_init(&c, rings[1], never);
	o = ping(&p, &c, shared->count, size);
	memcpy(shared->histogram, o.histogram, sizeof(shared->histogram));
	free(o.histogram);
}

static void ring_echo(void)
{
	struct producer p;
	struct consumer c;

	producer_init(&p, rings[1], never);
	consumer_init(&c, rings[0], never);
	echo(&c, &p);
}

static void stream_send(void)
{
	unsigned char *m = room_for(size);

	close(fds[0]);
	for (uint64_t n = 1; n <= shared->count + shared->warmup; n++) {
		stamp(m, size, n);
		for (uint64_t done = 0; done < size;) {
			ssize_t now = write(fds[1], m + done, size - done);

			if (now < 0 && errno != EINTR)
				die("write: %s", strerror(errno));
			done += now > 0 ? now : 0;
		}
	}
}

static void stream_receive(void)
{
	unsigned char *m = room_for(size);
	uint64_t start = now_ns();

	close(fds[1]);
	for (uint64_t n = 1; n <= shared->count + shared->warmup; n++) {
		for (uint64_t done = 0; done < size;) {
			ssize_t now = read(fds[0], m + done, size - done);

			if (now == 0 || (now < 0 && errno != EINTR))
				die("read: %s", now ? strerror(errno) : "the end");
			done += now > 0 ? now : 0;
		}
		compare(m, size, n);
		if (n == shared->warmup)
			start = now_ns();
	}
	shared->ns = now_ns() - start;
}

static uint64_t warm(void)
{
	uint64_t n = capacity / record_size(size);

	return n ? n : 1;
}

static double stream_rate(bool is_pipe)
{
	uint64_t count = iterations / 10 ? iterations / 10 : 1;

	if (is_pipe ? pipe(fds) : socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		die("%s: %s", is_pipe ? "pipe" : "socketpair", strerror(errno));
	run(count, 64, stream_send, stream_receive);
	return count / (shared->ns / 1e9);
}

static const char *amount(uint64_t n, uint64_t kilo, const char *const names[4], char *text, size_t room)
{
	const uint64_t units[] = {kilo * kilo * kilo, kilo * kilo, kilo, 1};
	int i = 0;

	while (n % units[i])
		i++;
	snprintf(text, room, "%llu%s", (unsigned long long)(n / units[i]), names[i]);
	return text;
}

static void compare_with(const char *name, double ratio)
{
	printf("Comparison to %s: %.*fx faster\n", name, ratio >= 9.95 ? 0 : ratio >= 0.995 ? 1 : 2, ratio);
}

static void report(void)
{
	static const char *const bytes[] = {"GB", "MB", "KB", "B"};
	static const char *const words[] = {" billion", " million", " thousand", ""};
	static const char *const letters[] = {"G", "M", "K", ""};
	char a[32], b[32], c[32];
	uint64_t trips;
	double rate, mean, p99;

	amount(iterations, 1000, letters, c, sizeof(c));
	printf("Shared Memory Ring Buffer Benchmark\nBuffer: %s, Messages: %s\n\n"
		"Producer: Writing %s messages...\nConsumer: Reading %s messages...\n\n",
		amount(capacity, 1024, bytes, a, sizeof(a)), amount(iterations, 1000, words, b, sizeof(b)), c, c);
	fflush(stdout); /* or the children would print it again */
	run(iterations, warm(), ring_send, ring_receive);
	rate = iterations / (shared->ns / 1e9);
	trips = iterations / 10 > 200000 ? 200000 : iterations / 10 ? iterations / 10 : 1;
	run(trips, 0, ring_ping, ring_echo);
	histogram_times(shared->histogram, &mean, &p99);
	printf("Results:\n  Throughput: %.1f million msg/sec\n  Bandwidth: %.1f GB/sec\n"
		"  Latency (avg): %.2f µs\n  Latency (p99): %.2f µs\n  Zero-copy: Yes\n\n",
		rate / 1e6, rate * size / 1e9, mean / 2e3, p99 / 2e3);
	fflush(stdout);
	compare_with("pipe", rate / stream_rate(true));
	fflush(stdout);
	compare_with("Unix socket", rate / stream_rate(false));
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'}, {"buffer-size", required_argument, NULL, 'b'},
		{"iterations", required_argument, NULL, 'c'}, {"msg-size", required_argument, NULL, 's'},
		{"batch", required_argument, NULL, 'p'}, {"in-place", no_argument, NULL, 'i'}, {0},
	};

	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;)
		switch (c) {
		case 'h':
			fputs(help, stdout);
			return finish();
		case 'b':
			if (!is_capacity(capacity = parse_size(optarg)))
				bad_usage("--buffer-size: \"%s\": not a power of two from 64 to 2GB", optarg);
			break;
		case 'c':
			if (!(iterations = parse_count(optarg)))
				bad_usage("--iterations: \"%s\" is no number from 1 up", optarg);
			break;
		case 's':
			if (!(size = parse_size(optarg)))
				bad_usage("--msg-size: \"%s\" is no size", optarg);
			break;
		case 'p':
			if (!(batch = parse_size(optarg)) && strcmp(optarg, "0"))
				bad_usage("--batch: \"%s\" is no size", optarg);
			break;
		case 'i':
			style = IN_PLACE;
			break;
		default:
			bad_usage("wrong flags");
		}
	if (optind < argc)
		bad_usage("unexpected argument \"%s\"", argv[optind]);
	if (size < LEAST_MESSAGE || size > ring_largest(capacity))
		bad_usage("--msg-size: %llu bytes: not from 16 to %llu", (unsigned long long)size,
			(unsigned long long)ring_largest(capacity));
	if (batch == UINT64_MAX)
		batch = capacity / 8;
	shared = map_shared(sizeof(*shared));
	rings[0] = map_shared(ring_size(capacity));
	rings[1] = map_shared(ring_size(capacity));
	report();
	return finish();
}
