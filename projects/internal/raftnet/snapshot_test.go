package raftnet_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/raftrpc"
	"unpipc/projects/internal/raftnet"
)

func installing(size int) *raft.InstallSnapshotRequest {
	return &raft.InstallSnapshotRequest{
		RPCHeader: header, SnapshotVersion: 1, Term: 5, LastLogIndex: 6, LastLogTerm: 4,
		Configuration: []byte("three"), ConfigurationIndex: 2, Size: int64(size),
	}
}

func TestASnapshotArrivesWhole(t *testing.T) {
	for _, size := range []int{0, 1, raftrpc.MaxChunk, 3*raftrpc.MaxChunk + 1} {
		from, to := newPost(t, slow), newPost(t, slow)
		snapshot := bytes.Repeat([]byte("snap"), size/4+1)[:size]
		var got raft.InstallSnapshotResponse
		sent := make(chan error, 1)
		go func() {
			sent <- from.InstallSnapshot("b", raft.ServerAddress(to.addr), installing(size), &got, bytes.NewReader(snapshot))
		}()
		rpc := taken(t, to)
		assert.Equal(t, installing(size), rpc.Command)
		r := within(t, read(rpc))
		require.NoError(t, r.err)
		assert.True(t, bytes.Equal(snapshot, r.bytes))
		require.NoError(t, <-sent)
		assert.Equal(t, raft.InstallSnapshotResponse{Term: 5, Success: true}, got)
	}
}

func TestASenderThatCannotGoOnEndsTheStream(t *testing.T) {
	from, to := newPost(t, slow), newPost(t, slow)
	broken := errors.New("disk broken")
	snapshot := io.MultiReader(bytes.NewReader(make([]byte, raftrpc.MaxChunk)), iotest.ErrReader(broken))
	sent := make(chan error, 1)
	go func() {
		sent <- from.InstallSnapshot("b", raft.ServerAddress(to.addr), installing(1<<20),
			new(raft.InstallSnapshotResponse), snapshot)
	}()
	r := within(t, read(taken(t, to)))
	assert.EqualError(t, r.err, "the connection of the snapshot has ended")
	assert.ErrorIs(t, <-sent, broken)
}

// open begins a stream by hand and sends one byte of it.
func open(t *testing.T, to *post) (c *raftrpc.Client, hangUp func() error, number uint64, done <-chan received) {
	t.Helper()
	c, conn := dial(t, to)
	opened := make(chan error, 1)
	go func() {
		var err error
		number, err = c.OpenSnapshot(background, &raftrpc.SnapshotArgs{Term: 5, Size: 3})
		opened <- err
	}()
	done = read(taken(t, to))
	require.NoError(t, <-opened)
	require.NoError(t, c.SnapshotChunk(background, number, 0, []byte("a")))
	return c, conn.Close, number, done
}

func TestWhatEndsTheStreamOfASnapshot(t *testing.T) {
	for name, end := range map[string]struct {
		by   func(t *testing.T, to *post, c *raftrpc.Client, hangUp func() error, number uint64)
		want string
	}{
		"its connection ends": {func(t *testing.T, _ *post, _ *raftrpc.Client, hangUp func() error, _ uint64) {
			require.NoError(t, hangUp())
		}, "the connection of the snapshot has ended"},
		"a heartbeat of a newer term": {func(t *testing.T, to *post, _ *raftrpc.Client, _ func() error, _ uint64) {
			other, _ := dial(t, to)
			answerWith(t, to, &raft.AppendEntriesResponse{}, nil)
			_, err := other.Append(background, &raftrpc.AppendArgs{Term: 6})
			require.NoError(t, err)
		}, "the term of the snapshot has ended"},
		"a candidate of a newer term": {func(t *testing.T, to *post, _ *raftrpc.Client, _ func() error, _ uint64) {
			other, _ := dial(t, to)
			answerWith(t, to, &raft.RequestVoteResponse{}, nil)
			_, err := other.Vote(background, &raftrpc.VoteArgs{Term: 6})
			require.NoError(t, err)
		}, "the term of the snapshot has ended"},
		"a part that is missing": {func(t *testing.T, _ *post, c *raftrpc.Client, _ func() error, number uint64) {
			assert.Error(t, c.SnapshotChunk(background, number, 2, []byte("c")))
		}, "parts of the snapshot are missing, or come twice"},
		"more than was said": {func(t *testing.T, _ *post, c *raftrpc.Client, _ func() error, number uint64) {
			assert.Error(t, c.SnapshotChunk(background, number, 1, []byte("bcd")))
		}, "the snapshot is longer than was said"},
		"the transport": {func(t *testing.T, to *post, _ *raftrpc.Client, _ func() error, _ uint64) {
			require.NoError(t, to.Close())
		}, raft.ErrTransportShutdown.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			to := newPost(t, slow)
			c, hangUp, number, done := open(t, to)
			end.by(t, to, c, hangUp, number)
			assert.EqualError(t, within(t, done).err, end.want)
			_, err := c.CloseSnapshot(background, number)
			assert.Error(t, err, "nothing is installed")
		})
	}
}

func TestASenderThatStopsIsNotWaitedForLong(t *testing.T) {
	to := newPost(t, raftnet.Options{Timeout: patience, Stall: 20 * time.Millisecond})
	c, _ := dial(t, to)
	go func() { _, _ = c.OpenSnapshot(background, &raftrpc.SnapshotArgs{Term: 5, Size: 3}) }()
	assert.EqualError(t, within(t, read(taken(t, to))).err, "no more of the snapshot comes")
}

func TestAnotherSnapshotTakesThePlaceOfTheOld(t *testing.T) {
	to := newPost(t, slow)
	first, _, number, done := open(t, to)
	earlier, _ := dial(t, to)
	_, err := earlier.OpenSnapshot(background, &raftrpc.SnapshotArgs{Term: 4, Size: 3})
	assert.ErrorIs(t, err, raftrpc.Refusal("the term of the snapshot has ended"))
	_, err = earlier.OpenSnapshot(background, &raftrpc.SnapshotArgs{Term: 5, Size: -1})
	assert.Error(t, err)

	second, _, other, fresh := open(t, to)
	assert.EqualError(t, within(t, done).err, "another snapshot is sent")
	assert.Error(t, first.SnapshotChunk(background, number, 1, []byte("b")))
	assert.Error(t, first.SnapshotChunk(background, other, 1, []byte("b")), "it is another's")
	require.NoError(t, second.SnapshotChunk(background, other, 1, []byte("bc")))
	got, err := second.CloseSnapshot(background, other)
	require.NoError(t, err)
	assert.True(t, got.Success)
	assert.Equal(t, "abc", string(within(t, fresh).bytes))
}
