/*
 * rpccost - a client that puts values by Sun RPC, and its server. What is checked is
 * described in ../doc.go; the Go program has the same flags and says the same.
 */
#include <getopt.h>
#include <signal.h>
#include <sys/prctl.h>

#include "../../cli/ref/amount.h"
#include "../../measure/ref/clock.h"
#include "../../measure/ref/outcome.h"
#include "../../message/ref/message.h"
#include "kv.h"
#include "place.h"

static size_t size = 64;
static uint64_t count = 1000, warmup = 16;

static unsigned char *new_value(void)
{
	unsigned char *m = calloc(1, MAX_VALUE);

	if (!m)
		die("%d bytes: %s", MAX_VALUE, strerror(errno));
	return m;
}

/* ---- the server ------------------------------------------------------------ */

static unsigned char *value, *filled, *came;
static uint64_t last;

static enum_t take(const struct put_args *a)
{
	if (a->sequence != last && a->sequence != last + 1)
		return KV_STALE;
	if (a->value.n != size || !stamped(came, size, a->sequence))
		return KV_BAD_REQUEST;
	if (a->sequence <= warmup) {
		fill(filled, size, a->sequence);
		if (memcmp(came, filled, size) != 0)
			return KV_BAD_REQUEST;
	}
	memcpy(value, came, size);
	last = a->sequence;
	return KV_OK;
}

static void dispatch(struct svc_req *request, SVCXPRT *x)
{
	char key[MAX_KEY];
	struct put_args put = {.key.at = key, .value.at = (char *)came};
	struct get_args get = {.key.at = key};

	switch (request->rq_proc) {
	case NULLPROC:
		svc_sendreply(x, (xdrproc_t)xdr_nothing, NULL);
		break;
	case PUT:
		if (!svc_getargs(x, (xdrproc_t)xdr_put_args, (void *)&put)) {
			svcerr_decode(x);
			break;
		}
		struct put_result written = {take(&put), last, 1, 1};
		svc_sendreply(x, (xdrproc_t)xdr_put_result, (void *)&written);
		break;
	case GET:
		if (!svc_getargs(x, (xdrproc_t)xdr_get_args, (void *)&get)) {
			svcerr_decode(x);
			break;
		}
		struct get_result found = {KV_OK, {size, (char *)value}, last};
		svc_sendreply(x, (xdrproc_t)xdr_get_result, (void *)&found);
		break;
	default:
		svcerr_noproc(x);
	}
}

static void on_signal(int signo)
{
	(void)signo;
	_exit(0);
}

static void serve(const char *addr)
{
	struct place p = place_of(addr);
	int fd = open_socket(&p);
	SVCXPRT *x;

	if (bind(fd, &p.any, p.size) != 0 || (strcmp(network, "udp") && listen(fd, 16) != 0))
		die("listen %s: %s", addr, strerror(errno));
	getsockname(fd, &p.any, &p.size);
	x = strcmp(network, "udp") ? svc_vc_create(fd, 0, 0) : svc_dg_create(fd, 0, 0);
	if (!x || !svc_reg(x, PROG, VERS, dispatch, NULL))
		die("%s: cannot make a service", network);
	value = new_value();
	filled = new_value();
	came = new_value();
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	if (p.any.sa_family == AF_UNIX)
		puts(addr);
	else
		printf("%s:%d\n", inet_ntoa(p.in.sin_addr), ntohs(p.in.sin_port));
	fflush(stdout);
	svc_run();
}

/* ---- the client ------------------------------------------------------------ */

static const struct timeval patience = {25, 0};

static CLIENT *dial(const char *addr)
{
	struct place p = place_of(addr);
	struct netbuf at = {.maxlen = p.size, .len = p.size, .buf = &p};
	int fd = open_socket(&p);
	struct timeval retry = {1, 0}; /* as in Go */
	CLIENT *c;

	if (strcmp(network, "udp") && connect(fd, &p.any, p.size) != 0)
		die("connect %s: %s", addr, strerror(errno));
	c = strcmp(network, "udp") ? clnt_vc_create(fd, &at, PROG, VERS, 0, 0) : clnt_dg_create(fd, &at, PROG, VERS, 0, 0);
	if (!c)
		die("%s", clnt_spcreateerror(addr));
	if (strcmp(network, "udp") == 0)
		clnt_control(c, CLSET_RETRY_TIMEOUT, (char *)&retry);
	return c;
}

static void put(CLIENT *c, unsigned char *m, uint64_t seq)
{
	char key[] = "value";
	struct put_args args = {.sequence = seq, .key = {5, key}, .value = {size, (char *)m}};
	struct put_result result = {0};
	enum clnt_stat s = clnt_call(c, PUT, (xdrproc_t)xdr_put_args, (void *)&args,
		(xdrproc_t)xdr_put_result, (void *)&result, patience);

	if (s != RPC_SUCCESS)
		die("message %llu: %s", (unsigned long long)seq, clnt_sperrno(s));
	if (result.status != KV_OK)
		die("message %llu: status %d", (unsigned long long)seq, result.status);
	if (result.revision != seq)
		die("message %llu: it was taken for %llu", (unsigned long long)seq, (unsigned long long)result.revision);
}

static void compare_last(CLIENT *c, const unsigned char *m)
{
	char key[] = "value";
	struct get_args args = {.key = {5, key}};
	struct get_result found = {.value.at = (char *)new_value()};
	enum clnt_stat s = clnt_call(c, GET, (xdrproc_t)xdr_get_args, (void *)&args,
		(xdrproc_t)xdr_get_result, (void *)&found, patience);

	if (s != RPC_SUCCESS)
		die("last message: %s", clnt_sperrno(s));
	if (found.status != KV_OK || found.revision != warmup + count || found.value.n != size ||
	    memcmp(found.value.at, m, size) != 0)
		die("the server does not have the last message");
	free(found.value.at);
}

static void ask(const char *addr)
{
	static uint32_t histogram[HISTOGRAM_SIZE];
	CLIENT *c = dial(addr);
	unsigned char *m = new_value();
	uint64_t seq, start, before;

	for (seq = 1; seq <= warmup; seq++) {
		fill(m, size, seq);
		put(c, m, seq);
	}
	start = before = now_ns();
	for (seq = warmup + 1; seq <= warmup + count; seq++) {
		uint64_t after;

		stamp(m, size, seq);
		put(c, m, seq);
		after = now_ns();
		histogram_add(histogram, after - before);
		before = after;
	}
	compare_last(c, m);
	clnt_destroy(c);
	free(m);
	print_outcome(count, before - start, histogram);
}

/* ---- the command line ------------------------------------------------------ */

static const char usage[] =
	"usage: rpccost --role ROLE --addr ADDRESS [flags]\n\n"
	"A client that puts values by Sun RPC, or its server. The server prints its address, the\n"
	"client the time that the calls took, as JSON.\n\n"
	"flags:\n"
	"      --role ROLE     serve or ask\n"
	"      --network NAME  tcp, udp or unix (default tcp)\n"
	"      --addr ADDRESS  127.0.0.1:PORT, of a server also port 0; or the path of a Unix socket\n"
	"      --size N        bytes in a value, up to 65536 (default 64)\n"
	"      --count N       timed calls (default 1000)\n"
	"      --warmup N      calls before them, whose values are compared byte for byte (default 16)\n"
	"      --parent PID    process that this one is not to outlive (default 0: any)\n"
	"  -h, --help          show this help\n\n"
	"example:\n"
	"  rpccost --role serve --network tcp --addr 127.0.0.1:5001 &\n"
	"  rpccost --role ask --network tcp --addr 127.0.0.1:5001\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"role", 1, NULL, 'r'}, {"network", 1, NULL, 'n'}, {"addr", 1, NULL, 'a'}, {"size", 1, NULL, 's'},
		{"count", 1, NULL, 'c'}, {"warmup", 1, NULL, 'w'}, {"parent", 1, NULL, 'p'}, {"help", 0, NULL, 'h'}, {0},
	};
	const char *role = "", *addr = "";
	unsigned long parent = 0;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'h': fputs(usage, stdout); return 0;
		case 'r': role = optarg; break;
		case 'n': network = optarg; break;
		case 'a': addr = optarg; break;
		case 's': size = parse_whole(optarg); break;
		case 'c': count = parse_whole(optarg); break;
		case 'w': warmup = parse_whole(optarg); break;
		case 'p': parent = parse_whole(optarg); break;
		default: try_help();
		}
	}
	if (strcmp(role, "serve") && strcmp(role, "ask"))
		bad_usage("--role is serve or ask");
	if (strcmp(network, "tcp") && strcmp(network, "udp") && strcmp(network, "unix"))
		bad_usage("--network is tcp, udp or unix");
	if (!*addr || size == 0 || size > MAX_VALUE || count == 0 || optind < argc)
		bad_usage("--addr is needed, --size and --count are at least 1, --size at most %d", MAX_VALUE);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (parent && getppid() != (pid_t)parent)
		return 1; /* it was killed before that */
	if (strcmp(role, "serve") == 0)
		serve(addr);
	else
		ask(addr);
	return finish();
}
