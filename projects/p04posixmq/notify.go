package p04posixmq

import (
	"errors"
	"fmt"
	"os/signal"

	"golang.org/x/sys/unix"
)

// Notify is a way in which mq_notify(3) tells of a message.
type Notify string

// The two ways.
const (
	BySignal Notify = "signal" // SIGUSR1
	ByThread Notify = "thread" // a function on a thread that glibc starts
)

const notifySignal = unix.SIGUSR1

// arm registers for one notification. It comes only when a message arrives at the
// empty queue, so whoever arms takes everything there is afterwards, or comes back
// for it without being told.
func (d *Dispatcher) arm() error {
	var err error
	switch d.opts.Notify {
	case ByThread:
		err = d.queue.NotifyThread(func() {
			select {
			case d.notified <- nil:
			default: // told already
			}
		})
	default:
		signal.Notify(d.notified, notifySignal)
		err = d.queue.NotifySignal(notifySignal, 0)
	}
	if !errors.Is(err, unix.EBUSY) {
		return err
	}
	who := "another process"
	if s, err := d.queue.Status(); err == nil && s.NotifyPID != 0 {
		who = fmt.Sprintf("process %d", s.NotifyPID)
	}
	return fmt.Errorf("%w: %s is to be told of messages already", err, who)
}
