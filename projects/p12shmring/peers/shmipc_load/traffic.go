package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/cloudwego/shmipc-go"
	"golang.org/x/sys/unix"
)

const (
	least    = 16
	patience = 20 * time.Second
	// So many bytes and batches, the consumer says, have come. Two times as many are sent
	// without its word at most: when the pool is empty, of 32 MiB of which 2048 batches can
	// have a part, the library sends by the socket.
	window      = 4 << 20
	mostBatches = 512
)

// header is what the producer sends first: 8 bytes each, little-endian.
type header struct{ size, batch, count uint64 }

const headerBytes = 24

// every is how many messages are a window, a number of whole batches.
func (h header) every() uint64 {
	return min(max(window/h.size/h.batch, 1), mostBatches) * h.batch
}

func produce(name string, h header) (o outcome, err error) {
	conf := shmipc.DefaultSessionManagerConfig()
	conf.Network, conf.Address, conf.SessionNum = "unix", "@"+name, 1
	conf.MemMapType = shmipc.MemMapTypeMemFd // no file is left by one that is killed
	manager, err := dial(conf)
	if err != nil {
		return o, err
	}
	defer manager.Close()
	s, err := manager.GetStream()
	if err != nil {
		return o, err
	}
	w, back := s.BufferWriter(), s.BufferReader()
	first := make([]byte, 0, headerBytes)
	for _, n := range []uint64{h.size, h.batch, h.count} {
		first = binary.LittleEndian.AppendUint64(first, n)
	}
	if _, err := w.WriteBytes(first); err != nil {
		return o, err
	}
	message := make([]byte, h.size)
	for n := uint64(1); n <= h.count; n++ {
		binary.LittleEndian.PutUint64(message, n)
		binary.LittleEndian.PutUint64(message[h.size-8:], n)
		if _, err := w.WriteBytes(message); err != nil {
			return o, err
		}
		if n%h.batch == 0 || n == h.count {
			if err := s.Flush(false); err != nil {
				return o, err
			}
		}
		if n%h.every() == 0 && n > h.every() {
			if _, err := back.ReadByte(); err != nil {
				return o, err
			}
		}
	}
	if h.count >= h.every() { // the last window's
		if _, err := back.ReadByte(); err != nil {
			return o, err
		}
	}
	_, err = back.ReadByte() // and the end
	return outcome{Count: int64(h.count)}, err
}

// dial waits until the consumer is there.
func dial(conf *shmipc.SessionManagerConfig) (*shmipc.SessionManager, error) {
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		manager, err := shmipc.NewSessionManager(conf)
		if !errors.Is(err, unix.ECONNREFUSED) || time.Since(begin) > patience {
			return manager, err
		}
	}
}

func consume(name string, warmup int64) (o outcome, err error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: "@" + name, Net: "unix"})
	if err != nil {
		return o, err
	}
	defer l.Close()
	if err := l.SetDeadline(time.Now().Add(patience)); err != nil {
		return o, err
	}
	c, err := l.Accept()
	if err != nil {
		return o, err
	}
	session, err := shmipc.Server(c, shmipc.DefaultConfig())
	if err != nil {
		return o, err
	}
	defer session.Close()
	s, err := session.AcceptStream()
	if err != nil {
		return o, err
	}
	r, back := s.BufferReader(), s.BufferWriter()
	first, err := r.ReadBytes(headerBytes)
	if err != nil {
		return o, err
	}
	word := binary.LittleEndian.Uint64
	h := header{word(first), word(first[8:]), word(first[16:])}
	say := func() error { return errors.Join(back.WriteByte(0), s.Flush(false)) }
	message := make([]byte, h.size)
	start := time.Now()
	for n := uint64(1); n <= h.count; n++ {
		m, err := r.ReadBytes(int(h.size))
		if err != nil {
			return o, err
		}
		copy(message, m)
		if word(message) != n || word(message[h.size-8:]) != n {
			return o, fmt.Errorf("message %d: has the numbers %d and %d", n, word(message), word(message[h.size-8:]))
		}
		if n%h.batch == 0 {
			r.ReleasePreviousRead()
		}
		if o.Count++; o.Count == warmup {
			o.Count, warmup, start = 0, -1, time.Now()
		}
		if n%h.every() == 0 {
			if err := say(); err != nil {
				return o, err
			}
		}
	}
	o.NS = time.Since(start).Nanoseconds()
	if err := say(); err != nil {
		return o, err
	}
	_, _ = r.ReadByte() // until the producer has left
	return o, nil
}
