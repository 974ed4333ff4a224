package p05sysvmq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/alive"
)

// Server answers the requests in one queue.
type Server struct {
	key       sysvmq.Key
	queue     *sysvmq.Queue
	lock      *lock
	inherited string // what became of a queue that was there
	out       *outbox
	log       journal
	answer    []byte // the memory of the last response
}

// patience is how long a response waits for a client that does not say.
const patience = time.Minute

// Serve answers requests until ctx ends; then it removes the queue, which wakes up
// everybody who waits at it, and returns nil.
// Errors: [ErrRemoved] if somebody else removed the queue; that the log cannot be
// written.
func (s *Server) Serve(ctx context.Context) error {
	s.log.printf("Server starting, key=%s, msqid=%d", s.key, s.queue.ID())
	if s.inherited != "" {
		s.log.printf("%s", s.inherited)
	}
	s.out.clear()
	s.log.printf("Waiting for requests (msgtyp=%d)...", RequestType)

	defer s.out.stop(s.out.start())
	// A msgrcv that sleeps, or is about to, comes back when the queue is removed: no
	// signal can come too early, and none has to interrupt it.
	defer context.AfterFunc(ctx, func() { _ = s.queue.Remove() })()
	m := sysvmq.NewMessage(firstRoom)
	for s.log.failed() == nil {
		data, err := receive(context.Background(), s.queue, &m, RequestType, 0)
		switch {
		case err == nil:
			s.take(data)
		case ctx.Err() != nil:
			return nil
		case removed(err):
			return fmt.Errorf("key %s: %w (msqid %d)", s.key, ErrRemoved, s.queue.ID())
		default:
			return err
		}
	}
	return s.log.failed()
}

// Close removes the queue, if it is still there, and gives up the lock.
func (s *Server) Close() error {
	err := s.queue.Remove()
	if removed(err) {
		err = nil
	}
	return errors.Join(err, s.lock.release())
}

// take answers a message of the type of requests.
func (s *Server) take(data []byte) {
	req, err := parseRequest(data)
	if err == nil {
		err = s.plausible(&req)
	}
	if err != nil {
		s.log.printf("Refused: %v", s.suspect(err))
		return
	}
	if req.deadline == 0 {
		req.deadline = now() + uint64(patience)
	}
	s.answer = (&response{nonce: req.nonce, deadline: req.deadline, text: req.text}).append(s.answer[:0])
	s.answer = append(s.answer, suffix...)
	mtype := ResponseType(req.pid)
	if !s.log.quiet {
		text := show(req.text)
		s.log.printf("Client %d: %s -> %s%s (msgtyp=%d)", req.pid, text, text, suffix, mtype)
	}
	s.out.send(mtype, s.answer)
}

// gone is why a request that is right has nobody to be answered to.
type gone string

func (g gone) Error() string { return string(g) }

// plausible is nil if the process that the request names is alive and waits. A
// response that nobody takes would only fill the queue.
func (s *Server) plausible(req *request) error {
	ticks, ok := alive.Started(req.pid)
	switch {
	case !ok:
		return gone(fmt.Sprintf("client %d is gone", req.pid))
	case ticks != req.started:
		return fmt.Errorf("process %d is not the client: it was started at another time", req.pid)
	case req.deadline != 0 && req.deadline <= now():
		return gone(fmt.Sprintf("client %d no longer waits", req.pid))
	}
	return nil
}

// suspect adds to the error who may have sent what no client sends. It is a hint: the
// kernel keeps the last sender of the queue, which need not be this message's.
func (s *Server) suspect(err error) error {
	if errors.As(err, new(gone)) {
		return err
	}
	st, statErr := s.queue.Stat()
	if statErr != nil || st.LastSender == 0 {
		return err
	}
	return fmt.Errorf("%w (the queue's last sender was process %d)", err, st.LastSender)
}

// journal writes each line at once, and keeps the first error.
type journal struct {
	to    io.Writer
	quiet bool
	mu    sync.Mutex
	line  bytes.Buffer
	err   error
}

func (j *journal) printf(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.line.Reset()
	fmt.Fprintf(&j.line, format+"\n", args...)
	if _, err := j.to.Write(j.line.Bytes()); err != nil && j.err == nil {
		j.err = err
	}
}

func (j *journal) failed() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}
