package posixmq_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
)

func TestLimitsAreTheSystems(t *testing.T) {
	l, err := posixmq.ReadLimits()
	require.NoError(t, err)
	assert.Equal(t, -1, l.OpenMax, "Linux has no fixed limit, and that is no error")
	assert.Equal(t, 32768, l.Priorities)
	for name, value := range map[string]int{"msg_max": l.MsgMax, "msgsize_max": l.MsgSizeMax, "queues_max": l.QueuesMax} {
		assert.Equal(t, strings.TrimSpace(read("/proc/sys/fs/mqueue/"+name)), strconv.Itoa(value), name)
	}
	var r unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_MSGQUEUE, &r))
	assert.Equal(t, r.Cur, l.Bytes)

	q := newQueue(t, 1, 1, 0)
	assert.NoError(t, q.Send(nil, uint(l.Priorities-1)))
	assert.ErrorIs(t, q.Send(nil, uint(l.Priorities)), unix.EINVAL)
}
