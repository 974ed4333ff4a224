/* fifo_client - writes its process number into fifo_server's FIFO. */
#include <fcntl.h>
#include <sys/stat.h>

#include "../../../internal/lecture/ref/lecture.h"

int main(int argc, char **argv)
{
	const char *path;
	struct stat st;
	int fd, pid = getpid();

	path = only_flag(argc, argv, "fifo", "/tmp/fifo_server",
		"usage: fifo_client [flags]\n\n"
		"Writes its process number into fifo_server's FIFO.\n\nflags:\n"
		"      --fifo path   the path of the FIFO (default \"/tmp/fifo_server\")\n"
		"  -h, --help        show this help\n\nexample:\n  fifo_client");
	if (optind < argc)
		bad_usage("takes no arguments");
	signal(SIGPIPE, SIG_IGN);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
	if (fd == -1 && errno == ENXIO)
		die("%s: no server reads it", path);
	if (fd == -1 || fstat(fd, &st))
		die("open %s: %s", path, strerror(errno));
	if (!S_ISFIFO(st.st_mode))
		die("open %s: not a FIFO", path);
	if (fcntl(fd, F_SETFL, 0) || write(fd, &pid, sizeof pid) != sizeof pid)
		die("write %s: %s", path, strerror(errno));
	say("my pid %d is sent to server\n", pid);
	return finish();
}
