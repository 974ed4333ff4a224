/*
 * simple_sort - sort the numbers of files, one file after the other.
 *
 *	simple_sort a.txt b.txt c.txt d.txt
 */
#include "../../../internal/integers/ref/integers.h"

int main(int argc, char **argv)
{
	uint64_t start_ns = now_ns();
	struct numbers *files;

	parse(argc, argv, "Reads the integers of each file and sorts them, one file after the other in this\n"
			  "process, and prints how long that took.", 0);
	argv += optind;
	argc -= optind;
	files = allocate(NULL, argc * sizeof(*files), "the files");
	for (int i = 0; i < argc; i++)
		sort_file(&files[i], argv[i]);
	return finish_sort(files, argc, start_ns);
}
