package servetest

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Scribe is what the servers of tests embed: it remembers what was asked last, and says
// with which error to answer. The zero Scribe says with none.
type Scribe struct {
	mu    sync.Mutex
	asked []any
	err   error
}

// Note remembers what is asked, and returns the error to answer with.
func (s *Scribe) Note(asked ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = asked
	return s.err
}

// Asked is what was asked last, nil where nothing was.
func (s *Scribe) Asked() []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Fail has all later calls answered with an error.
func (s *Scribe) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// Call makes a call with a client of type C, and returns what the server is asked by it,
// what it is to answer, and what has come back.
type Call[C any] func(client C) (asked []any, want, got any, err error)

// AssertAnswered makes calls, and asserts that each is asked of the server as it was made
// and that the server's answer comes back.
func AssertAnswered[C any](t *testing.T, s *Scribe, client C, calls []Call[C]) {
	t.Helper()
	for i, call := range calls {
		asked, want, got, err := call(client)
		require.NoError(t, err, "call %d", i)
		assert.Equal(t, asked, s.Asked(), "call %d", i)
		assert.Equal(t, want, got, "call %d", i)
	}
}

// AssertFail has the server answer with each key of errors, and asserts that each call
// then fails with its value. The calls with one error share a connection.
func AssertFail[C any](t *testing.T, s *Scribe, dial func() C, calls []Call[C], errors map[error]error) {
	t.Helper()
	for given, want := range errors {
		s.Fail(given)
		client := dial()
		for i, call := range calls {
			_, _, _, err := call(client)
			assert.ErrorIs(t, err, want, "call %d answered with %v", i, given)
		}
	}
}
