/*
 * opencv - a Gaussian blur by OpenCV with the exercise's taps, all that are up to 3 sigma
 * away; what it prints is the time from memory to memory.
 */
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include "peer.h"

int main(int argc, char **argv)
{
	struct job j = parse(argc, argv);
	int taps = 2 * (int)std::ceil(3 * j.sigma) + 1;

	cv::setNumThreads(j.threads);
	cv::Mat in = cv::imread(j.input, cv::IMREAD_COLOR), out;
	if (in.empty())
		fail(j.input, "cannot be read");
	double start = now_ms();
	cv::GaussianBlur(in, out, cv::Size(taps, taps), j.sigma, j.sigma, cv::BORDER_REPLICATE);
	double ms = now_ms() - start;
	if (!cv::imwrite(j.output, out))
		fail(j.output, "cannot be written");
	printf("Total time: %.3fms\n", ms);
	return 0;
}
