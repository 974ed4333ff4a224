package p05sysvmq

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
)

// RequestType is the type of every request.
const RequestType = 1

// typeOfPid1 is the type of responses to process 1, and no pid.
const typeOfPid1 = math.MaxInt32

// ResponseType is the type of the responses to the client pid.
func ResponseType(pid int) int64 {
	if pid == RequestType {
		return typeOfPid1
	}
	return int64(pid)
}

// clientOf is the pid whose responses have the type, 0 if it is nobody's.
func clientOf(mtype int64) int {
	switch {
	case mtype == typeOfPid1:
		return RequestType
	case mtype == RequestType || mtype > math.MaxInt32:
		return 0
	}
	return int(mtype)
}

const (
	magic        = 0x31515653 // "SVQ1" on a little-endian machine
	requestHead  = 32
	responseHead = 20
)

// suffix is what the server does.
const suffix = "_PROCESSED"

// request is a request's data, without the type.
type request struct {
	pid                      int
	started, nonce, deadline uint64
	text                     []byte
}

// Why data is no request.
var (
	errShort = errors.New("too short for a request")
	errMagic = errors.New("not a request")
)

func (r *request) append(data []byte) []byte {
	order := binary.NativeEndian
	data = order.AppendUint32(data, magic)
	data = order.AppendUint32(data, uint32(r.pid))
	data = order.AppendUint64(data, r.started)
	data = order.AppendUint64(data, r.nonce)
	data = order.AppendUint64(data, r.deadline)
	return append(data, r.text...)
}

func parseRequest(data []byte) (request, error) {
	order := binary.NativeEndian
	if len(data) < requestHead {
		return request{}, errShort
	}
	if order.Uint32(data) != magic {
		return request{}, errMagic
	}
	r := request{
		pid:     int(int32(order.Uint32(data[4:]))),
		started: order.Uint64(data[8:]), nonce: order.Uint64(data[16:]), deadline: order.Uint64(data[24:]),
		text: data[requestHead:],
	}
	if r.pid <= 0 {
		return request{}, fmt.Errorf("%d is no client's pid", r.pid)
	}
	return r, nil
}

// response is a response's data, without the type.
type response struct {
	nonce, deadline uint64
	status          uint32
	text            []byte
}

func (r *response) append(data []byte) []byte {
	order := binary.NativeEndian
	data = order.AppendUint64(data, r.nonce)
	data = order.AppendUint64(data, r.deadline)
	data = order.AppendUint32(data, r.status)
	return append(data, r.text...)
}

func parseResponse(data []byte) (r response, ok bool) {
	order := binary.NativeEndian
	if len(data) < responseHead {
		return response{}, false
	}
	return response{order.Uint64(data), order.Uint64(data[8:]), order.Uint32(data[16:]), data[responseHead:]}, true
}

// firstRoom is the room for data to begin with.
const firstRoom = 8192

// receive is ReceiveMessage into a message that grows: one that does not fit would
// stay at the head of the queue for ever.
func receive(ctx context.Context, q *sysvmq.Queue, m **sysvmq.Message, mtype int64, flags int) ([]byte, error) {
	for {
		n, err := q.ReceiveMessage(ctx, *m, mtype, flags)
		if err == nil {
			return (*m).Data()[:n], nil
		} else if !errors.Is(err, unix.E2BIG) {
			return nil, err
		}
		*m = sysvmq.NewMessage(2 * len((*m).Data()))
	}
}

// removed says whether the error is that the queue is no longer there.
func removed(err error) bool {
	return errors.Is(err, unix.EIDRM) || errors.Is(err, unix.EINVAL)
}

// show escapes what a terminal would not show as one character of its own.
func show(text []byte) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, c := range text {
		switch {
		case c == '\\':
			b.WriteString(`\\`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
