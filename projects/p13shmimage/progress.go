package p13shmimage

import (
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows on a terminal how many pixels are done.
type progress struct {
	stop   chan struct{}
	ending sync.WaitGroup
}

// newProgress watches slots until all pixels are done or it is ended.
func newProgress(slots []slot, pixels int) *progress {
	p := &progress{stop: make(chan struct{})}
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return p
	}
	bar := progressbar.NewOptions(pixels, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetWidth(30),
		progressbar.OptionSetDescription("filtering"), progressbar.OptionClearOnFinish())
	_ = bar.RenderBlank()
	p.ending.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				_ = bar.Finish()
				return
			case <-tick.C:
				done := uint64(0)
				for i := range slots {
					done += slots[i].Pixels.Load()
				}
				// A terminal that cannot be written to is no reason to stop.
				_ = bar.Set(min(int(done), pixels-1))
			}
		}
	})
	return p
}

func (p *progress) end() {
	close(p.stop)
	p.ending.Wait()
}
