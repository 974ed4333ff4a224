package authdes

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ErrServer tells that the verifier of a reply was not made by the server that the client
// has sealed its conversation key for.
var ErrServer = errors.New("the reply's verifier is not the server's")

// Client makes the credentials of one conversation, for one call after the other: it is
// not for several goroutines at once.
type Client struct {
	name     string
	key      desCipher // of the conversation key
	sealed   DESKey    // and as the server gets it
	window   uint32
	now      func() time.Time
	nickname uint32
	named    bool // the server has given a nickname
	last     stamp
}

// NewClient begins a conversation of name with a server, both netnames. Each call is good
// for a window of whole seconds, and a server's clock may differ by that; now is a clock
// that agrees with the server's, time.Now as a rule. Errors: those of keys, and of names
// or windows that do not fit.
func NewClient(name, server string, keys Keys, window time.Duration, now func() time.Time) (*Client, error) {
	if name == "" || len(name) > MaxName {
		return nil, fmt.Errorf("netname of %d bytes: want 1 to %d", len(name), MaxName)
	}
	seconds := int64(window / time.Second)
	if seconds < 1 || seconds > 1<<31-1 {
		return nil, fmt.Errorf("window of %v: want 1 second or more", window)
	}
	key, err := NewConversationKey()
	if err != nil {
		return nil, err
	}
	sealed, err := keys.Seal(server, key)
	if err != nil {
		return nil, err
	}
	return &Client{name: name, key: key.cipher(), sealed: sealed, window: uint32(seconds), now: now}, nil
}

// Marshal returns the bodies of the next call's credential and verifier.
func (c *Client) Marshal() (cred, verf []byte) {
	now := stampOf(c.now())
	if !now.after(c.last) {
		now = c.last.next()
	}
	c.last = now
	if c.named {
		return credential{nickname: c.nickname}.bytes(), verifier{stamp: c.key.seal(now.block())}.bytes()
	}
	blocks := []DESKey{now.block(), twoWords(c.window, c.window-1)}
	c.key.sealChained(blocks)
	return credential{name: c.name, key: c.sealed, window: [4]byte(blocks[1][:4])}.bytes(),
		verifier{blocks[0], [4]byte(blocks[1][4:])}.bytes()
}

// Validate judges the body of a reply's verifier. Error: [ErrServer].
func (c *Client) Validate(verf []byte) error {
	v, err := parseVerifier(verf)
	if err != nil {
		return fmt.Errorf("%w: %d bytes", ErrServer, len(verf))
	}
	if want := (stamp{c.last.sec - 1, c.last.usec}); stampIn(c.key.open(v.stamp)) != want {
		return ErrServer
	}
	c.nickname, c.named = binary.BigEndian.Uint32(v.second[:]), true
	return nil
}

// Refresh answers a refusal: it gives up the nickname, so that the next call gives the
// full name, and says whether that is anything new. A server that was started again
// knows no nicknames.
func (c *Client) Refresh() bool {
	named := c.named
	c.named = false
	return named
}
