package sysvmq_test

import (
	"bytes"
	"math"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
)

// model says what a queue must do. It never sleeps.
type model struct {
	messages []modelMessage
	bytes    int
}

type modelMessage struct {
	mtype int64
	data  []byte
}

const modelMaxBytes = 60

func (m *model) send(mtype int64, data []byte) syscall.Errno {
	switch {
	case mtype < 1:
		return unix.EINVAL
	case m.bytes+len(data) > modelMaxBytes || len(m.messages)+1 > modelMaxBytes:
		return unix.EAGAIN
	}
	m.messages = append(m.messages, modelMessage{mtype, bytes.Clone(data)})
	m.bytes += len(data)
	return 0
}

// find is where the message is that a receiver of mtype gets, -1 for none.
func (m *model) find(mtype int64, flags int) int {
	if flags&sysvmq.CopyOnly != 0 {
		if mtype >= 0 && mtype < int64(len(m.messages)) {
			return int(mtype)
		}
		return -1
	}
	best := -1
	for i, one := range m.messages {
		switch {
		case mtype == 0:
			return i
		case mtype < 0:
			if (mtype == math.MinInt64 || one.mtype <= -mtype) && (best < 0 || one.mtype < m.messages[best].mtype) {
				best = i
			}
		case (one.mtype == mtype) != (flags&sysvmq.Except != 0):
			return i
		}
	}
	return best
}

func (m *model) receive(room int, mtype int64, flags int) (got modelMessage, errno syscall.Errno) {
	copies := flags&sysvmq.CopyOnly != 0
	if copies && flags&sysvmq.Except != 0 {
		return got, unix.EINVAL
	}
	i := m.find(mtype, flags)
	if i < 0 {
		return got, unix.ENOMSG
	}
	got = m.messages[i]
	if len(got.data) > room {
		switch {
		case flags&sysvmq.NoError == 0:
			return modelMessage{}, unix.E2BIG
		case copies:
			return modelMessage{}, unix.EINVAL
		}
	}
	if !copies {
		m.messages = slices.Delete(m.messages, i, i+1)
		m.bytes -= len(got.data)
	}
	got.data = got.data[:min(len(got.data), room)]
	return got, 0
}

// pick is a number from near the edges, or a small one.
func pick(b byte) int64 {
	edges := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MaxInt32 + 1, -math.MaxInt64}
	if int(b) < len(edges) {
		return edges[b]
	}
	return int64(b%9) - 4
}

// Each call is four bytes of the input: what to call, a type, a size, flags.
func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte{0, 8, 5, 0, 0, 9, 6, 0, 1, 1, 3, 0, 1, 1, 9, 0, 1, 3, 9, 4})
	f.Add([]byte{0, 8, 60, 0, 0, 8, 1, 0, 0, 8, 0, 0, 1, 0, 60, 4, 1, 0, 60, 2, 1, 0, 0, 1})
	f.Add(bytes.Repeat([]byte{0, 8, 0, 0, 1, 0, 0, 4, 3, 7, 1, 0}, 70))
	f.Fuzz(func(t *testing.T, input []byte) {
		q := newQueue(t)
		defer func() { require.NoError(t, q.Remove()) }()
		limit(t, q, modelMaxBytes)
		var m model
		one := sysvmq.NewMessage(80)
		for serial := byte(0); len(input) >= 4; input, serial = input[4:], serial+1 {
			mtype, size := pick(input[1]), int(input[2]%70)
			flags := sysvmq.NoWait
			for bit, flag := range []int{sysvmq.NoError, sysvmq.Except, sysvmq.CopyOnly} {
				if input[3]>>bit&1 != 0 {
					flags |= flag
				}
			}
			switch input[0] % 4 {
			case 0: // data
				data := bytes.Repeat([]byte{serial}, size)
				require.Equal(t, m.send(mtype, data), ipctest.Errno(q.Send(mtype, data, sysvmq.NoWait)))
			case 1:
				buf := bytes.Repeat([]byte{0xaa}, size+1)
				n, got, err := q.Receive(buf[:size], mtype, flags)
				want, errno := m.receive(size, mtype, flags)
				require.Equal(t, errno, ipctest.Errno(err))
				require.Equal(t, want.mtype, got)
				require.True(t, bytes.Equal(want.data, buf[:n]))
				require.Equal(t, byte(0xaa), buf[size])
			case 2: // messages
				one.SetType(mtype)
				for i := range one.Data() {
					one.Data()[i] = serial
				}
				require.Equal(t, m.send(mtype, one.Data()[:size]), ipctest.Errno(q.SendMessage(t.Context(), one, size, sysvmq.NoWait)))
			case 3:
				n, err := q.ReceiveMessage(t.Context(), one, mtype, flags)
				want, errno := m.receive(len(one.Data()), mtype, flags)
				require.Equal(t, errno, ipctest.Errno(err))
				require.Equal(t, len(want.data), n)
				if errno == 0 {
					require.Equal(t, want.mtype, one.Type())
					require.True(t, bytes.Equal(want.data, one.Data()[:n]))
				}
			}
		}
		s := sysvtest.State(t, q)
		require.Equal(t, len(m.messages), s.Messages)
		require.Equal(t, m.bytes, s.Bytes)
	})
}
