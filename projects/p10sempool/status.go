package p10sempool

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"unpipc/projects/internal/alive"
)

// Status shows who holds and who waits in the pool of this name.
func Status(name string, to io.Writer) error {
	p, err := attach(name)
	if err != nil {
		return err
	}
	defer p.unmap()
	var text bytes.Buffer
	if err := p.lock(); err != nil {
		return err
	}
	p.status(&text)
	p.unlock()
	_, err = text.WriteTo(to)
	return err
}

func (p *pool) status(to io.Writer) {
	fmt.Fprintf(to, "Pool %s: %d connections, %d available, %d lent, %d workers waiting\n",
		p.name, p.slots, p.free, p.slots-p.free, p.waiting)
	manager := map[bool]string{true: "running", false: "dead"}[alive.Is(int(p.manager), p.managerStarted)]
	fmt.Fprintf(to, "Manager: process %d (%s)\n", p.manager, manager)
	t := now()
	for i := range p.table {
		if e := &p.table[i]; e.state == holding {
			fmt.Fprintf(to, "Connection %d: worker %d (process %d) for %.1f s\n", e.slot+1, e.worker, e.pid,
				time.Duration(t-e.since).Seconds())
		}
	}
	for i := range p.table {
		if e := &p.table[i]; e.state == waiting || e.state == granted {
			fmt.Fprintf(to, "Waiting: worker %d (process %d) for %.1f s\n", e.worker, e.pid,
				time.Duration(t-e.since).Seconds())
		}
	}
	c := &p.counters
	fmt.Fprintf(to, "Lent %d times, released %d, given back for the dead %d, timeouts %d\n",
		c.Lent, c.Released, c.Reclaimed, c.GaveUp)
	fmt.Fprintf(to, "Order: %d of %d overtook one that had waited longer; longest wait %.3f s\n",
		c.Overtaken, c.Lent, time.Duration(c.LongestWait).Seconds())
}
