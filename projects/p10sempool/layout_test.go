package p10sempool

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/alive"
)

func TestTheLayoutIsThatOfTheReference(t *testing.T) {
	var s shared
	for name, at := range map[string][2]uintptr{
		"checksum":  {unsafe.Offsetof(s.checksum), 40},
		"semaphore": {unsafe.Offsetof(s.semaphore), 64},
		"mutex":     {unsafe.Offsetof(s.mutex), 128},
		"manager":   {unsafe.Offsetof(s.manager), 192},
		"serials":   {unsafe.Offsetof(s.serials), 248},
		"table":     {unsafe.Offsetof(s.table), 512},
		"entry":     {unsafe.Sizeof(entry{}), 64},
		"all":       {unsafe.Sizeof(s), 512 + 64*maxEntries + 16*MaxConnections},
		"request":   {uintptr(requestSize), 24},
		"answer":    {uintptr(answerSize), 128},
	} {
		assert.Equal(t, at[1], at[0], name)
	}
}

func TestAnObjectThatIsHalfMadeIsMadeAnew(t *testing.T) {
	for what, begin := range map[string]string{"empty": "", "begun": string(making[:])} {
		name := "/" + ipctest.Name(t)
		require.NoError(t, os.WriteFile(filepath.Join(shmFolder, name), []byte(begin), 0o600))
		_, err := attach(name)
		assert.ErrorContains(t, err, "not a connection pool", what)
		c, err := claim(name, 3, false)
		require.NoError(t, err, what)
		assert.EqualValues(t, 3, c.free)
		require.NoError(t, c.close())
		c.unmap()
		require.NoError(t, c.object.Close())
	}
}

func TestAHeaderThatDoesNotFitIsRefused(t *testing.T) {
	for what, c := range map[string]struct {
		change func(h *header)
		want   string
	}{
		"magic":      {func(h *header) { h.magic[0]++ }, "not a connection pool"},
		"version":    {func(h *header) { h.version++; h.checksum = h.sum() }, "version 2"},
		"a bit":      {func(h *header) { h.slots ^= 1 << 20 }, "damaged"},
		"slots":      {func(h *header) { h.slots = 5000; h.checksum = h.sum() }, "another layout"},
		"no slots":   {func(h *header) { h.slots = 0; h.checksum = h.sum() }, "another layout"},
		"size":       {func(h *header) { h.size++; h.checksum = h.sum() }, "another layout"},
		"semaphores": {func(h *header) { h.semSize = 16; h.checksum = h.sum() }, "another layout"},
	} {
		p := newPool(t, 2)
		join(t, p.name, 1) // so that it would be taken over
		c.change(&p.header)
		_, err := attach(p.name)
		assert.ErrorContains(t, err, c.want, what)
		p.drop(t)
		_, err = claim(p.name, 2, false)
		assert.ErrorContains(t, err, c.want, what)
		assert.ErrorContains(t, err, "nothing was changed", what)
		p.object, err = posixshm.Open(p.name, unix.O_RDWR, 0)
		require.NoError(t, err)
	}
	c := newPool(t, 2)
	c.shared.mutex[mutexKind] ^= 0xff
	_, err := attach(c.name)
	assert.ErrorContains(t, err, "the lock is damaged")
	require.NoError(t, c.object.Truncate(4096))
	_, err = attach(c.name)
	assert.Error(t, err)
	require.NoError(t, c.object.Truncate(sharedSize))
}

// testDamaged lets programs use a pool whose table and counters are noise.
func testDamaged(t *testing.T, bin string) {
	random := rand.New(rand.NewPCG(10, 20))
	for range 10 {
		c := newPool(t, 2)
		from := int(unsafe.Offsetof(c.shared.manager))
		for i := from; i < sharedSize; i++ {
			c.memory[i] = byte(random.Uint32())
		}
		c.closed = random.Uint32() % 2
		for i := range c.table {
			c.table[i].state = random.Uint32() % 6
			c.table[i].pid = int32(random.Uint32() % 70000)
		}
		// One lives, so that a manager takes the pool over.
		self := int32(os.Getpid())
		ticks, _ := alive.Started(int(self))
		c.table[random.IntN(maxEntries)] = entry{state: idle, pid: self, started: ticks}
		c.drop(t)
		for _, argv := range [][]string{
			{"pool_manager", "--status"},
			{"worker", "--timeout", "0.05", "--hold", "0", "1"},
			{"pool_manager", "--max-connections=2", "--workers=1"},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), patient)
			cmd := exec.CommandContext(ctx, filepath.Join(bin, argv[0]), append(argv[1:], "--name", c.name)...)
			// The counter of workers is noise too, and may be large enough or not. In the
			// foreground timeout(1) signals the program only, and once: LeakSanitizer's tracer,
			// which is of its process group, would end too, and the program wait for it for ever.
			if argv[len(argv)-1] == "--workers=1" {
				cmd = exec.CommandContext(ctx, "timeout", append([]string{"--foreground", "-s", "INT", "0.3", cmd.Path}, cmd.Args[1:]...)...)
			}
			out, _ := cmd.CombinedOutput()
			status := cmd.ProcessState.ExitCode()
			assert.Contains(t, []int{0, 1, 124}, status, "%q: %s\n%s", argv, cmd.ProcessState, out)
			cancel()
		}
		var err error
		c.object, err = posixshm.Open(c.name, unix.O_RDWR|unix.O_CREAT, 0o600)
		require.NoError(t, err)
	}
}
