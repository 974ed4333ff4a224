package authdes

import "time"

// TimeIn is the time in the verifier of a call with a full name.
func TimeIn(conversation DESKey, verf []byte) time.Time {
	return stampIn(conversation.Open(DESKey(verf[:8]))).time()
}

// NewClientWith is [NewClient] with a conversation key of the caller's.
func NewClientWith(conversation DESKey, name string, keys Keys, window uint32, now func() time.Time) *Client {
	sealed, _ := keys.Seal("", conversation)
	return &Client{name: name, key: conversation.cipher(), sealed: sealed, window: window, now: now}
}
