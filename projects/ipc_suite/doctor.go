package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Tell what this machine allows, what is missing, and how to get it",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if writeFindings(cmd.OutOrStdout(), examine(cmd.Context())) {
				return nil
			}
			return errSilent
		},
	}
}

// finding is what was found out about one thing.
type finding struct {
	what, value string
	// limit says what does not work because of it, and remedy how to change it.
	limit, remedy string
	missing       bool // the exercises cannot be built or tested without it
}

// writeFindings reports whether nothing is missing.
func writeFindings(w io.Writer, findings []finding) bool {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"", "What", "Found"})
	complete := true
	for _, f := range findings {
		mark := "ok"
		switch {
		case f.missing:
			mark = "MISSING"
			complete = false
		case f.limit != "":
			mark = "limited"
		}
		t.AppendRow(table.Row{mark, f.what, f.value})
	}
	fmt.Fprintln(w, t.Render())
	for _, f := range findings {
		if f.limit != "" {
			fmt.Fprintf(w, "\n%s: %s.\n  %s\n", f.what, f.limit, f.remedy)
		}
	}
	return complete
}

func examine(ctx context.Context) []finding {
	var all []finding
	add := func(f ...finding) { all = append(all, f...) }
	add(pipeFindings()...)
	add(queueFindings()...)
	add(systemVFindings()...)
	add(sharedMemoryFinding(), privilegeFinding())
	for _, tool := range []struct{ what, program, arg, limit, packages string }{
		{"Go", "go", "version", "nothing can be built", ""},
		{"C compiler", "cc", "--version", "the shims and the C references cannot be built", "gcc libc6-dev"},
		{"make", "make", "--version", "nothing can be built", "make"},
		{"pkg-config", "pkg-config", "--version", "libtirpc cannot be found", "pkg-config"},
		{"rpcgen", "rpcgen", "", "RPC stubs cannot be generated", "rpcsvc-proto"},
		{"strace", "strace", "--version", "the README's strace lines cannot be repeated", "strace"},
		{"ps", "ps", "--version", "scripts that look at processes fail", "procps"},
		{"perl", "perl", "-v", "scripts that need another language fail", "perl"},
		{"bash", "bash", "--version", "there is nothing to compare pipelines with", "bash"},
		{"dash", "dash", "", "one peer of the pipeline benchmark is missing", "dash"},
		{"C++ compiler", "c++", "--version", "peers in C++ are missing, and a test of the headers fails", "g++"},
		{"lslocks", "lslocks", "--version", "the README's lists of locks cannot be repeated", "util-linux"},
		{"Redis", "redis-server", "--version", "the pool of exercise 10 has no server to test it with", "redis-server"},
		{"ImageMagick", "compare", "-version", "nobody judges the pictures of exercise 13", "imagemagick"},
		{"Kerberos KDC", "krb5kdc", "", "RPCSEC_GSS cannot be tested", "krb5-kdc"},
		{"Kerberos admin", "kadmin.local", "", "RPCSEC_GSS cannot be tested", "krb5-admin-server"},
		{"Kerberos user", "kinit", "", "RPCSEC_GSS cannot be tested", "krb5-user"},
		{"browser", "chromium-headless-shell", "", "the page of a report cannot be tested", "chromium-headless-shell"},
	} {
		add(programFinding(ctx, tool.what, tool.program, tool.arg, tool.limit, tool.packages))
	}
	add(libraryFinding(ctx, "libtirpc", "Sun RPC cannot be built", "libtirpc-dev pkg-config"), rpcbindFinding(ctx))
	for _, peer := range []struct{ name, limit, packages string }{
		{"tdb", "one peer of exercise 9 is missing", "libtdb-dev"},
		{"sqlite3", "one peer of exercises 9 and 14 is missing", "libsqlite3-dev"},
		{"lmdb", "one peer of exercise 14 is missing", "liblmdb-dev"},
	} {
		add(libraryFinding(ctx, peer.name, peer.limit, peer.packages))
	}
	return all
}

func pipeFindings() []finding {
	r, w, err := pipe.New(0)
	if err != nil {
		return []finding{{what: "pipe", value: err.Error(), missing: true, limit: "no pipe can be made", remedy: "ulimit -n"}}
	}
	defer r.Close()
	defer w.Close()
	atomic, _ := w.AtomicSize()
	capacity, _ := w.Capacity()
	return []finding{
		{what: "PIPE_BUF", value: fmt.Sprintf("%d bytes", atomic)},
		{what: "pipe capacity", value: fmt.Sprintf("%d bytes, at most %s", capacity, proc("fs/pipe-max-size"))},
	}
}

// mqueueMagic is the type of the mqueue file system: statfs(2).
const mqueueMagic = 0x19800202

func queueFindings() []finding {
	mount := finding{what: "/dev/mqueue", value: "mounted"}
	var st unix.Statfs_t
	if err := unix.Statfs("/dev/mqueue", &st); err != nil || st.Type != mqueueMagic {
		mount.value = "not mounted"
		mount.limit = "POSIX queues work, but cannot be listed with ls or read with cat"
		mount.remedy = "mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue"
	}
	limits := finding{what: "POSIX message queues", value: fmt.Sprintf("%s messages of %s bytes, %s queues",
		proc("fs/mqueue/msg_max"), proc("fs/mqueue/msgsize_max"), proc("fs/mqueue/queues_max"))}
	if proc("fs/mqueue/msg_max") == "10" {
		limits.limit = "a queue holds 10 messages of 8 KiB unless more is allowed"
		limits.remedy = "sysctl fs.mqueue.msg_max=1000 fs.mqueue.msgsize_max=65536   (docker run --sysctl … for a container)"
	}
	return []finding{mount, limits, {what: "RLIMIT_MSGQUEUE", value: bytesLimit(unix.RLIMIT_MSGQUEUE)}}
}

func systemVFindings() []finding {
	return []finding{
		{what: "System V queues", value: fmt.Sprintf("messages of %s bytes, queues of %s bytes, %s queues",
			proc("kernel/msgmax"), proc("kernel/msgmnb"), proc("kernel/msgmni"))},
		{what: "System V semaphores", value: "SEMMSL, SEMMNS, SEMOPM, SEMMNI: " + strings.Join(strings.Fields(proc("kernel/sem")), ", ")},
		{what: "System V shared memory", value: fmt.Sprintf("%s segments", proc("kernel/shmmni"))},
	}
}

func sharedMemoryFinding() finding {
	f := finding{what: "/dev/shm"}
	var st unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &st); err != nil {
		f.value, f.missing = err.Error(), true
		f.limit, f.remedy = "POSIX shared memory and named semaphores do not work", "mount -t tmpfs tmpfs /dev/shm"
		return f
	}
	free := st.Bavail * uint64(st.Bsize)
	f.value = humanize.IBytes(free) + " free"
	if free < 128<<20 {
		f.limit = "large segments do not fit"
		f.remedy = "mount -o remount,size=256m /dev/shm   (docker run --shm-size 256m for a container)"
	}
	return f
}

func privilegeFinding() finding {
	f := finding{what: "privilege", value: "root"}
	if os.Geteuid() != 0 {
		f.value = fmt.Sprintf("uid %d", os.Geteuid())
		f.limit = "tests share this machine's IPC objects instead of having namespaces of their own"
		f.remedy = "run the tests as root; everything else works as it is"
	}
	return f
}

func programFinding(ctx context.Context, what, program, arg, limit, packages string) finding {
	f := finding{what: what}
	path, err := exec.LookPath(program)
	if err != nil {
		f.value, f.missing, f.limit = "not found", true, limit
		f.remedy = "apt-get install " + packages
		if packages == "" {
			f.remedy = "see https://go.dev/doc/install"
		}
		return f
	}
	f.value = path
	if arg != "" {
		f.value = firstLine(ctx, program, arg)
	}
	return f
}

// libraryFinding is of a library to build with, by its name for pkg-config.
func libraryFinding(ctx context.Context, name, limit, packages string) finding {
	f := finding{what: name, value: firstLine(ctx, "pkg-config", "--modversion", name)}
	if f.value == "" {
		f.value, f.missing = "not found", true
		f.limit, f.remedy = limit, "apt-get install "+packages
	}
	return f
}

func rpcbindFinding(ctx context.Context) finding {
	f := programFinding(ctx, "rpcbind", "rpcbind", "", "RPC programs cannot be registered", "rpcbind")
	if !f.missing {
		if _, err := os.Stat("/run/rpcbind.sock"); err != nil {
			f.value += ", not running"
		}
	}
	return f
}

// firstLine is the first line with text that a program prints, "" if it fails.
func firstLine(ctx context.Context, program string, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

// proc is the content of a file below /proc/sys.
func proc(name string) string {
	text, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(text))
}

func bytesLimit(resource int) string {
	var r unix.Rlimit
	if err := unix.Getrlimit(resource, &r); err != nil {
		return err.Error()
	}
	if r.Cur == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return fmt.Sprintf("%d bytes for all queues of a user", r.Cur)
}
