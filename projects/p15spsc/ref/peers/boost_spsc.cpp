// boost::lockfree::spsc_queue between two threads: numbers, each compared.
// Prints, as the ends of the other queues do, how many counted and how long they took.
#include <boost/lockfree/spsc_queue.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

static const std::uint64_t slots = 4096;
static boost::lockfree::spsc_queue<std::uint64_t, boost::lockfree::capacity<slots>> queue;

static void wait_turn(unsigned &tries)
{
	if (++tries % 16 == 0)
		std::this_thread::yield();
#if defined(__x86_64__)
	else
		for (int i = 0; i < 32; i++)
			__builtin_ia32_pause();
#endif
}

static void consume(std::uint64_t first, std::uint64_t last)
{
	std::uint64_t v;
	unsigned tries = 0;

	while (first < last)
		if (!queue.pop(v)) {
			wait_turn(tries);
		} else if (v != first++) {
			std::fprintf(stderr, "boost_spsc: item %llu is wrong\n", (unsigned long long)v);
			std::exit(1);
		}
}

int main(int argc, char **argv)
{
	const std::uint64_t items = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0;

	std::thread producer([items] {
		unsigned tries = 0;

		for (std::uint64_t n = 0; n < slots + items; n++)
			while (!queue.push(n))
				wait_turn(tries);
	});
	consume(0, slots);
	auto start = std::chrono::steady_clock::now();
	consume(slots, slots + items);
	auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start);
	producer.join();
	std::printf("{\"count\":%llu,\"ns\":%lld}\n", (unsigned long long)items, (long long)ns.count());
}
