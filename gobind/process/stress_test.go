package process_test

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/process"
)

func TestFiveHundredProcessesRunAtOnce(t *testing.T) {
	var all []*process.Process
	for range 500 {
		all = append(all, sleeper(t, process.Cmd{DefaultSignals: true}))
	}
	for _, p := range all {
		require.NoError(t, p.Signal(unix.SIGTERM))
	}
	for _, p := range all {
		st, err := p.Wait()
		require.NoError(t, err)
		require.Equal(t, unix.SIGTERM, st.Signal())
	}
	noChildren(t)
}

func TestManyGoroutinesStartProgramsWhileMemoryIsCollected(t *testing.T) {
	stop := make(chan struct{})
	var churning, starting sync.WaitGroup
	for range 4 {
		churning.Go(func() {
			for keep := [][]byte(nil); ; {
				select {
				case <-stop:
					return
				default:
					keep = append(keep, []byte(strings.Repeat("garbage", 1000)))
					if len(keep) > 100 {
						keep = nil
						runtime.GC()
					}
				}
			}
		})
	}
	for g := range 20 {
		starting.Go(func() {
			for i := range 20 {
				code := g*i%255 + 1
				// Strings that only this call keeps.
				p, err := process.Start(&process.Cmd{
					Args: []string{"/bin/sh", "-c", fmt.Sprintf(`test "$1" = "%d $A" && exit %d`, i, code), "sh", fmt.Sprintf("%d %d", i, g)},
					Env:  []string{fmt.Sprintf("A=%d", g)},
				})
				if !assert.NoError(t, err) {
					return
				}
				st, err := p.Wait()
				assert.NoError(t, err)
				assert.Equal(t, code, st.Shell())
				_, err = process.Start(&process.Cmd{Args: []string{"/no/such/program"}})
				assert.ErrorIs(t, err, fs.ErrNotExist)
			}
		})
	}
	starting.Wait()
	close(stop)
	churning.Wait()
	noChildren(t)
}

// Each Start copies its strings for C, 66 MB and 48 MB in all: what is not given back is
// found here.
var _ = ipctest.MemoryRole("twenty thousand starts", func() bool {
	// 3.3 KB of strings and 2.4 KB of pointers to them.
	env := strings.Fields(strings.Repeat("LONG=12345 ", 300))
	for i := range 1050 {
		program := "/no/such"
		if i%21 == 0 {
			program = "/bin/true"
		}
		p, err := process.Start(&process.Cmd{Args: []string{program}, Env: env, Files: []int{0, 1, 2}, Close: []int{100}})
		if err == nil {
			_, err = p.Wait()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
})

func TestStartKeepsNoMemory(t *testing.T) {
	ipctest.AssertKeepsNoMemory(t, "twenty thousand starts")
}
