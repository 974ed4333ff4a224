/*
 * peer.h - the command line and the clock of the programs that blur a picture with a
 * library. C and C++.
 */
#ifndef PEER_H
#define PEER_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void __attribute__((noreturn)) fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

struct job {
	const char *input, *output;
	double sigma;
	int threads;
};

static struct job parse(int argc, char **argv)
{
	struct job j;

	if (argc != 5)
		fail(argv[0], "usage: input.png output.png SIGMA THREADS");
	j.input = argv[1];
	j.output = argv[2];
	j.sigma = atof(argv[3]);
	j.threads = atoi(argv[4]);
	return j;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

#endif
