/* fifo_server - prints the process numbers that clients write into a FIFO. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../../../internal/lecture/ref/lecture.h"
#include "../../../internal/marks/ref/mark.h"

static const char *path = "/tmp/fifo_server";

static struct mark mark;
static bool ours;

static void remove_fifo(void)
{
	if (ours)
		unlink(path);
	unmark(&mark);
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd, pid;
	ssize_t n;

	path = only_flag(argc, argv, "fifo", path,
		"usage: fifo_server [flags]\n\n"
		"Makes a FIFO and prints the process numbers that fifo_client writes into it, until\n"
		"SIGINT or SIGTERM; then it removes the FIFO.\n\nflags:\n"
		"      --fifo path   the path of the FIFO (default \"/tmp/fifo_server\")\n"
		"  -h, --help        show this help\n\nexample:\n"
		"  fifo_server & fifo_client; kill $!");
	if (optind < argc)
		bad_usage("takes no arguments");
	claim(&mark, "lecture-4", "fifo", path);
	at_end(remove_fifo);
	hold_end(SIG_BLOCK);
	if (mkfifo(path, 0600) && errno != EEXIST)
		die("mkfifo %s: %s", path, strerror(errno));
	/* For writing too: without a writer read would return at once, again and again. */
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st))
		die("open %s: %s", path, strerror(errno));
	if (!S_ISFIFO(st.st_mode))
		die("open %s: not a FIFO", path);
	if (flock(fd, LOCK_EX | LOCK_NB))
		die("%s: %s", path, errno == EWOULDBLOCK ? "another server has it" : strerror(errno));
	ours = true;
	hold_end(SIG_UNBLOCK);
	record_file(&mark, path);
	while ((n = read(fd, &pid, sizeof pid)) > 0) {
		if (n < (ssize_t)sizeof pid)
			fprintf(stderr, "fifo_server: %zd bytes are no process number\n", n);
		else
			say("new client %d\n", pid);
	}
	die("read %s: %s", path, strerror(errno));
}
