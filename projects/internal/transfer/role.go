package transfer

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
)

// roleArgument as first argument makes the running binary a role.
const roleArgument = "transfer-role"

// Role is to be called first in main, and in TestMain: it returns at once, unless
// this process was started as one end of a channel; then it is that end and exits.
func Role() { measure.TakeRole(roleArgument, roleMain) }

const channelNames = "pipe, fifo, vmsplice, unix_stream, unix_seqpacket, unix_dgram, tcp, posix_mq, sysv_mq or shm_sem"

// role is what the command line of a role says.
type role struct {
	name          string
	count, warmup uint64
	batch         int
	m             []byte // the message; has capacity for one byte more
}

// outcome is what a role prints, as JSON.
type outcome struct {
	measure.Outcome
	Sums int64 `json:"sums,omitempty"` // checksums that were right, where the clock is
}

func roleMain(args []string) {
	p := cli.New("transfer", "", "One end of a measured connection; the result goes to standard output as JSON.",
		"  mkfifo /tmp/a /tmp/b\n"+
			"  ipc_suite transfer-role --role recv --channel fifo --in /tmp/a --out /tmp/b &\n"+
			"  ipc_suite transfer-role --role send --channel fifo --in /tmp/b --out /tmp/a")
	var r role
	p.StringVar(&r.name, "role", "", "send, recv, ping or pong")
	channel := p.String("channel", "", channelNames)
	in := p.String("in", "", "descriptor to read from; path of a FIFO; name of a queue or of shared memory; KEY:TYPE")
	out := p.String("out", "", "the same for writing")
	size := p.Uint32("size", 64, "bytes in a message")
	p.Uint64Var(&r.count, "count", 1000, "timed messages")
	p.Uint64Var(&r.warmup, "warmup", 16, "verified messages before them")
	p.IntVar(&r.batch, "batch", 0, "send and recv: frames in writes of up to so many bytes")
	threads := p.Uint32("threads", 1, "threads to have at least; the others sleep")
	parent := p.Uint32("parent", 0, "pid of the process that this one is not to outlive; 0: any")
	p.Parse(args)

	if *threads == 0 || *threads > maxThreads {
		p.BadUsage("--threads is 1 to %d", maxThreads)
	}
	if *size == 0 || r.count == 0 || *in == "" || *out == "" || p.NArg() > 0 {
		p.BadUsage("--in and --out are needed, --size and --count are at least 1")
	}
	run := map[string]func(*role, *link) (*outcome, error){
		"send": (*role).send, "recv": (*role).recv, "ping": (*role).ping, "pong": (*role).pong,
	}[r.name]
	if run == nil {
		p.BadUsage("--role is send, recv, ping or pong")
	}
	if !slices.Contains(Channels, *channel) {
		p.BadUsage("--channel is %s", channelNames)
	}
	if r.batch != 0 && (!slices.Contains(streams, *channel) || r.batch < int(*size)+8) {
		p.BadUsage("--batch needs a stream and at least 8 bytes more than --size")
	}
	// Who waits at a queue does not see that the one who started both was killed.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		p.Exit(os.NewSyscallError("prctl", err))
	}
	if *parent != 0 && os.Getppid() != int(*parent) {
		os.Exit(cli.Failed) // it was killed before that
	}
	debug.SetGCPercent(-1) // nothing here makes garbage that counts
	// With one P the runtime's monitor takes it in every long system call. Kept on
	// one CPU this process would have one only, which in a program has another cause.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), 2))
	for range *threads - 1 {
		go func() {
			runtime.LockOSThread()
			for {
				_ = unix.Pause() // it always fails, with EINTR
			}
		}()
	}
	r.m = newMessage(int(*size))
	l, err := openLink(*channel, *in, *out, int(*size), r.name == "send" || r.name == "ping")
	if err != nil {
		p.Exit(err)
	}
	p.Exit(measure.Print(run(&r, l)))
}

const maxThreads = 64

// newMessage is one whose place in its page is that of C's: how fast the kernel copies it
// depends on that.
func newMessage(size int) []byte {
	page := os.Getpagesize()
	room := make([]byte, size+1+page+placeInPage)
	begin := -int(uintptr(unsafe.Pointer(&room[0])))&(page-1) + placeInPage
	return room[begin : begin+size : begin+size+1]
}

// placeInPage is where a message begins: at a cache line, but not at a page, in C as in Go.
const placeInPage = 64
