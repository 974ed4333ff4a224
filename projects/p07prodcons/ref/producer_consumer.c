/*
 * producer_consumer - producers and consumers at one bounded buffer.
 *
 *	producer_consumer --producers=3 --consumers=2 --buffer-size=10 --items=1000
 */
#include <signal.h>
#include <sys/wait.h>

#include "flags.h"
#include "object.h"
#include "verdict.h"

#define MS 1000000L

static struct part part[MAX_MEMBERS];
static pthread_t thread[MAX_MEMBERS];
static bool reaped[MAX_MEMBERS];
static struct buffer *buffer;
static int fd = -1;
static volatile sig_atomic_t interrupted_by;

static void *run(void *p)
{
	take_part(p);
	return NULL;
}

/* The member is started: as a thread, or as this program again. */
static int start(int me)
{
	char member[16], turn[16], cpu[16];

	part[me] = (struct part){ .b = buffer, .me = me, .quiet = o.quiet, .turn = (int)o.turn, .cpu = (int)o.cpu };
	if (!o.processes)
		return pthread_create(&thread[me], NULL, run, &part[me]);
	snprintf(member, sizeof(member), "%d", me);
	snprintf(turn, sizeof(turn), "%ld", o.turn);
	snprintf(cpu, sizeof(cpu), "%ld", o.cpu);
	pid_t pid = fork();
	if (pid == 0) {
		/* Ctrl-C is for the owner alone, who ends the run. */
		sigset_t none;
		signal(SIGINT, SIG_IGN);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execl("/proc/self/exe", "producer_consumer", "--member", member, "--name", o.name,
		      "--turn", turn, "--cpu", cpu, o.quiet ? "--quiet" : NULL, NULL);
		_exit(127);
	}
	buffer->member[me].pid = pid;
	return pid == -1 ? errno : 0;
}

/* Lets the run begin when all are there, and waits for its end. Under the mutex. */
static void attend(long expected)
{
	struct buffer *b = buffer;
	int empty = condition(b, NOT_EMPTY), after_stop = 0;
	bool disturbed = false;

	while (b->present > 0 || !b->begun) {
		if (!b->begun && b->members == expected && (!o.spurious || (disturbed && b->woken[empty] == 0))) {
			b->begun = 1;
			wake_all(b);
		} else if (o.spurious && (b->begun || (!disturbed && b->waiting[empty] >= o.count[CONSUMER]))) {
			/* The first time is while the buffer is empty and all consumers wait. */
			disturbed = true;
			wake_all(b);
		}
		int error = wait_for(b, CHANGED, o.spurious ? MS : SECOND / 10);
		if (interrupted_by)
			stop_run(b, INTERRUPTED);
		/* One that was stopped by SIGSTOP does not leave. */
		if (b->stop != GOES_ON && (!b->begun || (error == ETIMEDOUT && ++after_stop > 50)))
			break;
	}
}

/*
 * A member's process has ended. If it had not left, the run is over at once: it may have
 * held the mutex, which is robust, or been inside a condition variable, which is not, and
 * then whoever calls it next hangs. So this thread touches neither.
 */
static void ended(int me)
{
	struct member *m = &buffer->member[me];

	if (m->gone)
		return;
	fprintf(stderr, "producer_consumer: %c%d (process %d) died\n", m->kind == PRODUCER ? 'P' : 'C', m->number, m->pid);
	buffer->stop = DIED;
	for (int i = 0; o.processes && i < o.count[PRODUCER] + o.count[CONSUMER]; i++)
		if (i != me && !reaped[i])
			kill(buffer->member[i].pid, SIGKILL);
	while (o.processes && waitpid(-1, NULL, 0) > 0)
		;
	shm_unlink(o.name);
	report(buffer);
	fflush(stdout);
	_exit(1);
}

/* Takes the signals, and misses members that ended without leaving. */
static void *supervise(void *signals)
{
	for (;;) {
		int sig = sigtimedwait(signals, NULL, &(struct timespec){ 0, SECOND / 10 });
		pid_t pid;

		if (sig == SIGINT || sig == SIGTERM)
			interrupted_by = sig;
		while (o.processes && (pid = waitpid(-1, NULL, WNOHANG)) > 0)
			for (int i = 0; i < buffer->members; i++)
				if (buffer->member[i].pid == pid) {
					reaped[i] = true;
					ended(i);
				}
		for (int i = 0; i < buffer->members; i++)
			if (buffer->member[i].pid != 0 && !buffer->member[i].gone &&
			    kill(buffer->member[i].pid, 0) != 0 && errno == ESRCH)
				ended(i);
	}
	return NULL;
}

static int run_all(sigset_t *signals)
{
	pthread_t supervisor;
	int error = 0;

	printf("Producer-Consumer Simulation\nBuffer size: %ld, Producers: %ld, Consumers: %ld, Items: %ld\n",
	       o.capacity, o.count[PRODUCER], o.count[CONSUMER], o.items);
	if (o.guests > 0)
		printf("Waiting for %ld more to join %s\n", o.guests, o.name);
	if (!o.quiet)
		puts("");
	fflush(stdout);
	long own = o.count[PRODUCER] + o.count[CONSUMER];
	lock(buffer);
	for (long i = 0; i < own; i++)
		join(buffer, i < o.count[CONSUMER] ? CONSUMER : PRODUCER);
	if (buffer->shared)
		publish(buffer);
	unlock(buffer);
	for (int i = 0; i < own && error == 0; i++)
		error = start(i);
	if (error == 0)
		error = pthread_create(&supervisor, NULL, supervise, signals);
	lock(buffer);
	if (error != 0)
		stop_run(buffer, DIED);
	else
		attend(own + o.guests);
	unlock(buffer);
	for (int i = 0; i < own && error == 0; i++) {
		if (!o.processes) {
			pthread_join(thread[i], NULL);
		} else if (!buffer->member[i].gone) {
			buffer->member[i].gone = 1;	/* it was stopped, and the run is */
			kill(buffer->member[i].pid, SIGKILL);
		}
	}
	while (o.processes && waitpid(-1, NULL, 0) > 0)
		;
	return error != 0 ? fail("start", error) : 0;
}

int main(int argc, char **argv)
{
	static char name[64];
	sigset_t signals;
	int error;

	parse(argc, argv);
	if (o.member >= 0) {
		if ((buffer = attach(o.name, &fd, 0)) == NULL)
			return fail(o.name, errno);
		part[0] = (struct part){ .b = buffer, .me = (int)o.member, .quiet = o.quiet, .turn = (int)o.turn, .cpu = (int)o.cpu };
		struct watch w = { .b = buffer, .part = part, .parts = 1, .program = "producer_consumer", .name = o.name };
		if ((error = watch(w, fd)) != 0)
			return fail(o.name, error);
		take_part(&part[0]);
		return 0;
	}
	if (o.one_cpu && (o.cpu = sched_getcpu()) == -1)
		return fail("sched_getcpu", errno);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	bool shared = o.processes || o.guests > 0;
	size_t size = buffer_size(o.capacity, o.items);
	if (o.name == NULL) {
		snprintf(name, sizeof(name), "/unpipc-%d-buffer", getpid());
		o.name = name;
	}
	if (shared && (error = create_object(o.name, &fd)) != 0)
		return fail(o.name, error);
	error = shared ? posix_fallocate(fd, 0, (off_t)size) : 0;
	if (error == 0 && (buffer = map(fd, size)) == NULL)
		error = errno;
	if (error == 0)
		error = init_buffer(buffer, o.variant, (int)o.capacity, o.items, shared);
	int status = error == 0 ? run_all(&signals) : fail(o.name, error);
	if (shared)
		shm_unlink(o.name);
	if (error == 0 && buffer->stop == INTERRUPTED) {
		signal(interrupted_by, SIG_DFL);
		pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
		kill(getpid(), interrupted_by);
		pause();
	}
	return status != 0 ? status : report(buffer);
}
