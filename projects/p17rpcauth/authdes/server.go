package authdes

import (
	"container/list"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Why a call is refused: auth_stat of RFC 5531.
type Why uint32

// The reasons that a [Server] gives.
const (
	BadCredential      Why = 1 // it cannot be read, or no key of the caller opens it
	RejectedCredential Why = 2 // the nickname is not known: give the full name
	BadVerifier        Why = 3
	RejectedVerifier   Why = 4 // too old, too new, or seen before
)

// Refused is a call's refusal.
type Refused struct {
	Why  Why
	What string
}

func (r *Refused) Error() string { return r.What }

func refuse(why Why, format string, args ...any) error {
	return &Refused{why, fmt.Sprintf(format, args...)}
}

// Server judges the calls of any number of clients. It is for several goroutines.
type Server struct {
	keys      Keys
	maxWindow time.Duration
	now       func() time.Time
	max       int

	mu      sync.Mutex
	last    uint32                   // nickname given
	by      map[uint32]*list.Element // nickname to *conversation
	byKey   map[sealed]*list.Element
	recency *list.List // front: used last
}

// sealed identifies a conversation by what its client has sent.
type sealed struct {
	name string
	key  DESKey
}

type conversation struct {
	sealed
	key      desCipher
	window   time.Duration
	nickname uint32
	last     stamp
}

// NewServer remembers the conversations used last, at most as many as conversations says.
// A client's window counts for no more than maxWindow.
func NewServer(keys Keys, conversations int, maxWindow time.Duration, now func() time.Time) *Server {
	return &Server{
		keys: keys, maxWindow: maxWindow, now: now, max: max(conversations, 1),
		last: rand.Uint32(), // the nicknames of an earlier server are not to be met again
		by:   map[uint32]*list.Element{}, byKey: map[sealed]*list.Element{}, recency: list.New(),
	}
}

// Verify judges the bodies of a call's credential and verifier, and returns the caller's
// netname and the body of the reply's verifier. Error: a [*Refused].
func (s *Server) Verify(cred, verf []byte) (name string, reply []byte, err error) {
	c, err := parseCredential(cred)
	if err != nil {
		return "", nil, refuse(BadCredential, "%v of %d bytes", err, len(cred))
	}
	v, err := parseVerifier(verf)
	if err != nil {
		return "", nil, refuse(BadVerifier, "malformed verifier of %d bytes", len(verf))
	}
	if c.name == "" {
		return s.again(c.nickname, v)
	}
	return s.first(c, v)
}

// first judges a call with the full name.
func (s *Server) first(c credential, v verifier) (string, []byte, error) {
	opened, err := s.keys.Open(c.name, c.key) // it may ask a key server: not under the lock
	if err != nil {
		return "", nil, refuse(BadCredential, "%s: %v", c.name, err)
	}
	blocks := []DESKey{v.stamp, DESKey(append(c.window[:], v.second[:]...))}
	key := opened.cipher()
	key.openChained(blocks)
	at := stampIn(blocks[0])
	window, less := binary.BigEndian.Uint32(blocks[1][:]), binary.BigEndian.Uint32(blocks[1][4:])
	if window == 0 || less != window-1 || !at.valid() {
		return "", nil, refuse(BadCredential, "%s: not sealed with this caller's key", c.name)
	}
	talk := &conversation{
		sealed: sealed{c.name, c.key}, key: key, last: at,
		window: min(time.Duration(window)*time.Second, s.maxWindow),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.inTime(talk, at); err != nil {
		return "", nil, err
	}
	if known, ok := s.byKey[talk.sealed]; ok {
		// A client goes back to its full name when it had no answer; a replay comes with
		// a time that was seen.
		before := known.Value.(*conversation)
		if !at.after(before.last) {
			return "", nil, refuse(RejectedVerifier, "%s: a time seen before", c.name)
		}
		before.last, before.window = at, talk.window
		s.recency.MoveToFront(known)
		return c.name, before.reply(at), nil
	}
	s.remember(talk)
	return c.name, talk.reply(at), nil
}

// again judges a call with a nickname.
func (s *Server) again(nickname uint32, v verifier) (string, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.by[nickname]
	if !ok {
		return "", nil, refuse(RejectedCredential, "nickname %d is not known here", nickname)
	}
	talk := known.Value.(*conversation)
	at := stampIn(talk.key.open(v.stamp))
	if !at.valid() {
		return "", nil, refuse(BadVerifier, "%s: not sealed with the conversation's key", talk.name)
	}
	if err := s.inTime(talk, at); err != nil {
		return "", nil, err
	}
	if !at.after(talk.last) {
		return "", nil, refuse(RejectedVerifier, "%s: a time seen before", talk.name)
	}
	talk.last = at
	s.recency.MoveToFront(known)
	return talk.name, talk.reply(at), nil
}

// inTime refuses what is older than the window, and what is from further ahead: RFC 2695
// asks for the first only, but a time that never gets old could be used again when the
// conversation has been forgotten.
func (s *Server) inTime(talk *conversation, at stamp) error {
	late := s.now().Sub(at.time())
	switch {
	case late > talk.window:
		return refuse(RejectedVerifier, "%s: the call is %v old, its window is %v",
			talk.name, late.Round(time.Second), talk.window)
	case -late > talk.window:
		return refuse(RejectedVerifier, "%s: the call is from %v ahead, its window is %v",
			talk.name, -late.Round(time.Second), talk.window)
	}
	return nil
}

func (s *Server) remember(talk *conversation) {
	for s.recency.Len() >= s.max {
		oldest := s.recency.Remove(s.recency.Back()).(*conversation)
		delete(s.by, oldest.nickname)
		delete(s.byKey, oldest.sealed)
	}
	for {
		s.last++
		if _, taken := s.by[s.last]; !taken {
			break
		}
	}
	talk.nickname = s.last
	element := s.recency.PushFront(talk)
	s.by[talk.nickname], s.byKey[talk.sealed] = element, element
}

func (c *conversation) reply(at stamp) []byte {
	var second [4]byte
	binary.BigEndian.PutUint32(second[:], c.nickname)
	return verifier{c.key.seal(stamp{at.sec - 1, at.usec}.block()), second}.bytes()
}
