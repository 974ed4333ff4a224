package p02fifo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
)

// Server answers the requests that arrive at its FIFO.
type Server struct {
	path    string
	fifo    *pipe.Reader
	framing framing
	replies replies
	log     journal
}

// Listen makes the FIFO at path, or takes over the one that a killed server left,
// and removes the FIFOs of killed clients beside it. Log lines go to log; a quiet
// server logs only what went wrong, not every request and answer.
//
// Errors name the path: [ErrListening] for a living server's, another for what is
// no FIFO of this user; *fs.PathError of mkfifo and open.
func Listen(path string, log io.Writer, quiet bool) (*Server, error) {
	r, err := takeOver(path)
	if err != nil {
		return nil, err
	}
	for _, dead := range deadReplies(path) {
		_ = os.Remove(dead)
	}
	s := &Server{path: path, fifo: r, log: journal{to: log, quiet: quiet}}
	s.replies = replies{server: path, uid: unix.Geteuid(), log: &s.log, waiting: map[int]*waiting{}}
	s.framing = framing{
		line:    s.answer,
		refuse:  func(rest []byte) { s.log.printf("Refused: \"%s\": no newline", show(rest)) },
		tooLong: func() { s.log.printf("Refused: a line longer than %d bytes", MaxRequestBytes) },
	}
	return s, nil
}

// Serve answers requests until ctx ends, and then returns nil. It stops with an
// error when the log cannot be written.
func (s *Server) Serve(ctx context.Context) error {
	w, err := newWaiter(ctx, unix.PollFd{Fd: int32(s.fifo.Fd()), Events: unix.POLLIN})
	if err != nil {
		return err
	}
	defer w.close()
	s.log.printf("Server listening on %s...", s.path)
	chunk := make([]byte, 1<<16) // a FIFO's capacity
	for s.log.err == nil {
		var next time.Time
		if len(s.replies.waiting) > 0 {
			next = s.replies.next
		}
		if err := w.wait(next); ctx.Err() != nil {
			return nil
		} else if err != nil {
			return err
		}
		if w.fds[0].Revents != 0 {
			n, err := s.fifo.Read(chunk)
			if err != nil && !errors.Is(err, unix.EAGAIN) {
				return err
			}
			// A read takes all there is: a short one has left nothing.
			s.framing.feed(chunk[:n], n < len(chunk))
		}
		s.replies.retry()
	}
	return s.log.err
}

// Close removes the FIFO, unless the name is another's by now.
func (s *Server) Close() error {
	var err error
	if names(s.path, s.fifo.Fd()) {
		err = os.Remove(s.path)
	}
	return errors.Join(err, s.fifo.Close())
}

func (s *Server) answer(line []byte) {
	req, err := parse(line)
	if err != nil {
		s.log.printf("Refused: \"%s\": %s", show(line), err)
		return
	}
	if !s.log.quiet {
		s.log.printf("Received: %s from client %d", show(req.operation), req.pid)
	}
	answer, err := Evaluate(req.operation)
	if err != nil {
		answer = err.Error()
	}
	s.replies.send(req.pid, answer+"\n")
}

// journal writes each line at once, and keeps the first error.
type journal struct {
	to    io.Writer
	quiet bool
	err   error
	line  []byte
}

func (j *journal) printf(format string, args ...any) {
	j.line = append(fmt.Appendf(j.line[:0], format, args...), '\n')
	if _, err := j.to.Write(j.line); err != nil && j.err == nil {
		j.err = err
	}
}
