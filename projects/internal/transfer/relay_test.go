package transfer

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/pipe"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/measure/measuretest"
)

// relayed is a run over pipes with a relay in the direction from a to b: it passes
// on what tamper makes of each byte, and ends the stream where that says so.
func relayed(t *testing.T, j job, a, b measure.Program, n int64, tamper func(offset int, c byte) (byte, bool)) error {
	t.Helper()
	fromA, toRelay, err := pipe.New(0)
	require.NoError(t, err)
	fromRelay, toB, err := pipe.New(0)
	require.NoError(t, err)
	fromB, toA, err := pipe.New(0)
	require.NoError(t, err)

	relay := make(chan error, 1)
	go func() {
		defer fromA.Close()
		buf := make([]byte, 1<<16)
		for offset, open := 0, true; ; {
			n, err := fromA.Read(buf)
			if err != nil {
				if open {
					toB.Close()
				}
				if err == io.EOF {
					err = nil
				}
				relay <- err
				return
			}
			more := open
			for i := 0; i < n && more; i++ {
				if buf[i], more = tamper(offset+i, buf[i]); !more {
					n = i
				}
			}
			offset += n
			if open {
				// A receiver that has seen the error is gone; what else the sender
				// sends is for nobody, but it must not notice.
				_, _ = toB.Write(buf[:n])
			}
			if open && !more {
				toB.Close()
				open = false
			}
		}
	}()
	c := &channel{kind: "pipe"}
	c.ends[0] = end{"3", "4", []file{fromB, toRelay}}
	c.ends[1] = end{"3", "4", []file{fromRelay, toA}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = j.over(ctx, measuretest.Twin(t, "transfer"), c, a, b, n)
	require.NoError(t, <-relay)
	return err
}

func TestEveryDamagedOrMissingByteIsFound(t *testing.T) {
	const size, n = 64, 50
	j := job{channel: "pipe", size: size}
	warmup := j.warmup()
	message := func(i int) int { return i * (size + 4) }                 // of the warm-up, from 0
	timed := func(seq int) int { return message(warmup) + (seq-1)*size } // from 1
	pass := func(_ int, c byte) (byte, bool) { return c, true }
	flip := func(at int) func(int, byte) (byte, bool) {
		return func(offset int, c byte) (byte, bool) {
			if offset == at {
				c ^= 0x10
			}
			return c, true
		}
	}
	cut := func(at int) func(int, byte) (byte, bool) {
		return func(offset int, c byte) (byte, bool) { return c, offset < at }
	}
	for name, test := range map[string]struct {
		tamper func(int, byte) (byte, bool)
		want   string // "" for success
	}{
		"nothing":                            {pass, ""},
		"the body of a warm-up message":      {flip(message(2) + size/2), "warm-up message 3: CRC-32C"},
		"the checksum of a warm-up message":  {flip(message(2) + size + 3), "warm-up message 3: CRC-32C"},
		"the first byte of a timed message":  {flip(timed(7)), "message 7: wrong sequence number"},
		"the last byte of a timed message":   {flip(timed(8) - 1), "message 7: wrong sequence number"},
		"the body of the last timed message": {flip(timed(n) + size/2), "last message 50: CRC-32C"},
		"the last checksum":                  {flip(timed(n+1) + 1), "last message 50: CRC-32C"},
		"the end of a warm-up message":       {cut(message(1) + 60), "end of file, expected 4 bytes more"},
		"the end of a timed message":         {cut(timed(9) + 1), "end of file, expected 63 bytes more"},
		"the last checksum altogether":       {cut(timed(n + 1)), "end of file, expected 4 bytes more"},
	} {
		for from, a := range languages {
			for to, b := range languages {
				err := relayed(t, j, a, b, n, test.tamper)
				if test.want == "" {
					assert.NoError(t, err, "%s, from %s to %s", name, from, to)
				} else {
					assert.ErrorContains(t, err, test.want, "%s, from %s to %s", name, from, to)
				}
			}
		}
	}
}

func TestDamageOnTheWayOfARoundTripIsFoundWhereItHappens(t *testing.T) {
	const size = 32
	j := job{channel: "pipe", size: size, roundTrip: true}
	at := j.warmup()*(size+4) + 4*size // the fifth timed message
	for from, a := range languages {
		for to, b := range languages {
			err := relayed(t, j, a, b, 20, func(offset int, c byte) (byte, bool) {
				if offset == at {
					c++
				}
				return c, true
			})
			require.ErrorContains(t, err, "message 5: wrong sequence number", "from %s to %s", from, to)
			assert.ErrorContains(t, err, "pong: ")
		}
	}
}

func TestDamagedFramesAreFound(t *testing.T) {
	const size, n = 64, 50
	j := job{channel: "pipe", size: size, batch: 1024}
	first := j.warmup() * (size + 4)
	for name, test := range map[string]struct {
		at   int
		want string
	}{
		"the length of a frame":   {first + 3*(4+size), "frame"},
		"a message in a frame":    {first + 3*(4+size) + 4, "message 4: wrong sequence number"},
		"the checksum at the end": {first + n*(4+size) + 4, "last message 50: CRC-32C"},
	} {
		for from, a := range languages {
			for to, b := range languages {
				err := relayed(t, j, a, b, n, func(offset int, c byte) (byte, bool) {
					if offset == test.at {
						c ^= 1
					}
					return c, true
				})
				assert.ErrorContains(t, err, test.want, "%s, from %s to %s", name, from, to)
			}
		}
	}
}
