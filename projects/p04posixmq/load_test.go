package p04posixmq

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"unpipc/gobind/ipctest"
)

// testNoWakeUpIsLost lets many submit at once, with and without pauses in which the
// queue gets empty, so that notifications are fired and armed all the time.
func testNoWakeUpIsLost(t *testing.T, folders map[string]string) {
	const submitters, each = 8, 125
	for _, c := range []struct{ language, notify, workers string }{
		{"Go", "signal", "1"}, {"Go", "thread", "16"}, {"C", "thread", "1"}, {"C", "signal", "16"},
	} {
		t.Run(c.language+" told by "+c.notify+", workers: "+c.workers, func(t *testing.T) {
			r := newRig(t, folders[c.language])
			d := r.start("--notify", c.notify, "--workers", c.workers)
			var all sync.WaitGroup
			for s := range submitters {
				all.Add(1)
				go func() {
					defer all.Done()
					for n := range each {
						_, err := Submit(t.Context(), r.place, uint(n%32), ":", Patience{})
						assert.NoError(t, err)
						if s == 0 && n%25 == 0 {
							drained(t, r.place)
						}
					}
				}()
			}
			all.Wait()
			// Nothing but notifications makes it run them.
			ipctest.Eventually(t, func() bool {
				l, err := List(r.place)
				return err == nil && len(l.Waiting)+len(l.Running) == 0
			}, "every job has run")
			log := r.drain(d)
			assert.Equal(t, submitters*each, strings.Count(log, "Processing job "))
			assert.Equal(t, submitters*each, strings.Count(log, "finished: exit status 0\n"))
			for id := 1; id <= submitters*each; id++ {
				if n := strings.Count(log, fmt.Sprintf("Processing job %d (", id)); n != 1 {
					t.Errorf("job %d ran %d times", id, n)
				}
			}
		})
	}
}

// drained waits until the queue has been empty.
func drained(t *testing.T, p Place) {
	ipctest.Eventually(t, func() bool {
		l, err := List(p)
		return err == nil && l.Messages == 0
	}, "the queue gets empty")
}
