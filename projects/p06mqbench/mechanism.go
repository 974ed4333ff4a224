package p06mqbench

// Mechanism is a line of the table.
type Mechanism struct {
	Name    string
	Short   string // as the winner
	channel string // as package transfer knows it
	// simple: the kernel wakes and blocks both sides, an end that is gone is seen by
	// the other, and nothing with a name stays when both are.
	simple bool
}

// Mechanisms are those of the guide, in its order.
var Mechanisms = []Mechanism{
	{"Pipe", "Pipe", "pipe", true},
	{"FIFO", "FIFO", "fifo", false},
	{"Unix Domain Socket", "Unix Domain Socket", "unix_stream", true},
	{"POSIX Message Queue", "POSIX Message Queue", "posix_mq", false},
	{"System V Message Queue", "System V Message Queue", "sysv_mq", false},
	{"Shared Memory + Sem", "Shared Memory", "shm_sem", false},
}

// Winners are the mechanisms with the greatest throughput: of all, and of those that
// need neither synchronization nor cleaning up of the program's own. "" where none was
// measured.
func Winners(lines []Line) (raw, simple string) {
	best, bestSimple := 0.0, 0.0
	for _, l := range lines {
		if l.Go == nil {
			continue
		}
		rate := l.Go.BytesPerSecond
		if rate > best {
			best, raw = rate, l.Mechanism.Short
		}
		if l.Mechanism.simple && rate > bestSimple {
			bestSimple, simple = rate, l.Mechanism.Short
		}
	}
	return raw, simple
}
