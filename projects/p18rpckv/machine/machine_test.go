package machine_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/kvrpc"
	"unpipc/projects/p18rpckv/machine"
)

// book applies commands one after the other.
type book struct {
	*machine.Machine
	index uint64
}

func (b *book) do(client byte, sequence uint64, c machine.Command) machine.Outcome {
	c.Client[0], c.Sequence = client, sequence
	b.index++
	return b.Apply(&raft.Log{Index: b.index, Data: c.Encode()}).(machine.Outcome)
}

func put(key, value string) machine.Command {
	return machine.Command{Kind: machine.Put, Key: []byte(key), Value: []byte(value)}
}

func cas(key, value string, expected ...string) machine.Command {
	c := machine.Command{Kind: machine.CompareAndSwap, Key: []byte(key), Value: []byte(value)}
	for _, e := range expected {
		c.Expected = kvrpc.Value{Bytes: []byte(e), Present: true}
	}
	return c
}

func (b *book) get(key string) string {
	f, ok := b.Get([]byte(key))
	return fmt.Sprint(string(f.Value), " ", f.Revision, " ", ok)
}

func TestAWriteThatIsSentAgainIsDoneOnce(t *testing.T) {
	b := &book{Machine: machine.New()}
	assert.Equal(t, machine.Outcome{Revision: 1}, b.do(1, 1, put("k", "a")))
	assert.Equal(t, machine.Outcome{Revision: 2}, b.do(2, 1, put("k", "b")))
	assert.Equal(t, machine.Outcome{Revision: 1}, b.do(1, 1, put("k", "a")), "as it ended then")
	assert.Equal(t, "b 2 true", b.get("k"))
	assert.Equal(t, machine.Outcome{Revision: 4}, b.do(1, 5, cas("k", "c", "b")))
	assert.Equal(t, machine.Outcome{Revision: 4}, b.do(1, 5, cas("k", "c", "b")), "though the value is another now")
	assert.Equal(t, kvrpc.Stale, b.do(1, 4, put("k", "z")).Status)

	again := &book{Machine: machine.New(), index: b.index}
	require.NoError(t, again.Restore(frozen(t, b.Machine)))
	assert.EqualValues(t, 6, again.Applied())
	assert.Equal(t, machine.Outcome{Revision: 4}, again.do(1, 5, cas("k", "c", "b")), "a snapshot remembers it")
	assert.Equal(t, "c 4 true", again.get("k"))
}

func TestWritesEndAsTheyShould(t *testing.T) {
	b := &book{Machine: machine.New()}
	for i, step := range []struct {
		command machine.Command
		want    kvrpc.Status
		then    string
	}{
		{machine.Command{Kind: machine.Delete, Key: []byte("k")}, kvrpc.NotFound, " 0 false"},
		{cas("k", "a", "x"), kvrpc.Mismatch, " 0 false"},
		{cas("k", "a"), 0, "a 3 true"},
		{cas("k", "b"), kvrpc.Mismatch, "a 3 true"},
		{cas("k", "b", "a"), 0, "b 5 true"},
		{machine.Command{Kind: 9, Key: []byte("k")}, kvrpc.BadRequest, "b 5 true"},
		{machine.Command{Kind: machine.Delete, Key: []byte("k")}, 0, " 0 false"},
	} {
		assert.Equal(t, step.want, b.do(1, uint64(i+1), step.command).Status, "step %d", i)
		assert.Equal(t, step.then, b.get("k"), "step %d", i)
	}
	b.index++
	assert.Equal(t, kvrpc.BadRequest, b.Apply(&raft.Log{Index: b.index, Data: []byte("?")}).(machine.Outcome).Status)
}

func TestOnlySoManyClientsAreRemembered(t *testing.T) {
	b := &book{Machine: machine.New()}
	for i := range machine.MaxClients + 1 {
		c := put("k", fmt.Sprint(i))
		c.Client[1], c.Client[2] = byte(i), byte(i>>8)
		b.do(0, 1, c)
	}
	assert.NotEqual(t, machine.Outcome{Revision: 1}, b.do(0, 1, put("k", "0")), "the first one")
	second := put("k", "1")
	second.Client[1] = 2
	assert.Equal(t, machine.Outcome{Revision: 3}, b.do(0, 1, second))
}

func TestWhoWatchesSeesEachChangeOnce(t *testing.T) {
	b := &book{Machine: machine.New()}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	b.do(1, 1, put("a1", "x"))
	b.do(1, 2, put("b", "y"))
	b.do(1, 3, machine.Command{Kind: machine.Delete, Key: []byte("a1")})
	w, err := b.Watch(ended, []byte("a"), 0)
	require.NoError(t, err)
	require.Len(t, w.Changes, 2)
	assert.False(t, w.Changes[1].Value.Present)
	w, err = b.Watch(ended, []byte("a"), w.Revision)
	require.NoError(t, err)
	assert.Equal(t, kvrpc.Watched{Revision: 3}, w)
	done := make(chan kvrpc.Watched, 1)
	go func() {
		w, _ := b.Watch(context.Background(), []byte("a"), 3)
		done <- w
	}()
	b.do(1, 4, put("a2", "z"))
	assert.Len(t, (<-done).Changes, 1)

	again := machine.New()
	require.NoError(t, again.Restore(frozen(t, b.Machine)))
	_, err = again.Watch(ended, nil, 3)
	assert.ErrorIs(t, err, kvrpc.Compacted)
}

func TestKeysComeInPages(t *testing.T) {
	b := &book{Machine: machine.New()}
	for i := range kvrpc.MaxKeys + 2 {
		b.do(1, uint64(i+1), put(fmt.Sprintf("k%04d", i), ""))
	}
	b.do(2, 1, put("other", ""))
	page := b.List([]byte("k"), nil)
	require.Len(t, page.Keys, kvrpc.MaxKeys)
	assert.True(t, page.More)
	page = b.List([]byte("k"), page.Keys[kvrpc.MaxKeys-1])
	assert.Len(t, page.Keys, 2)
	assert.False(t, page.More)
}

// sink is memory.
type sink struct{ bytes.Buffer }

func (*sink) ID() string    { return "" }
func (*sink) Cancel() error { return nil }
func (*sink) Close() error  { return nil }

func frozen(t *testing.T, m *machine.Machine) io.ReadCloser {
	t.Helper()
	s, err := m.Snapshot()
	require.NoError(t, err)
	var to sink
	require.NoError(t, s.Persist(&to))
	return io.NopCloser(&to.Buffer)
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	b := &book{Machine: machine.New()}
	b.do(1, 1, put("k", "value"))
	text, err := io.ReadAll(frozen(t, b.Machine))
	require.NoError(t, err)
	for i := range text {
		damaged := bytes.Clone(text)
		damaged[i] ^= 1
		assert.Error(t, b.Restore(io.NopCloser(bytes.NewReader(damaged))), "byte %d", i)
		assert.Error(t, b.Restore(io.NopCloser(bytes.NewReader(text[:i]))), "cut at %d", i)
	}
	assert.Equal(t, "value 1 true", b.get("k"))
}

// reflection is a mirror.
type reflection map[string]string

func (r reflection) Put(key, value []byte, revision uint64) {
	r[string(key)] = fmt.Sprint(string(value), " ", revision)
}
func (r reflection) Delete(key []byte) { delete(r, string(key)) }
func (r reflection) Reset()            { clear(r) }

func TestAMirrorShowsWhatTheMachineHas(t *testing.T) {
	b, seen := &book{Machine: machine.New()}, reflection{}
	b.SetMirror(seen)
	b.do(1, 1, put("a", "x"))
	b.do(1, 2, put("b", "y"))
	b.do(1, 3, cas("b", "z", "other"))
	b.do(1, 4, cas("b", "z", "y"))
	b.do(1, 5, machine.Command{Kind: machine.Delete, Key: []byte("a")})
	assert.Equal(t, reflection{"b": "z 4"}, seen)

	again, fresh := machine.New(), reflection{"old": "1"}
	again.SetMirror(fresh)
	require.NoError(t, again.Restore(frozen(t, b.Machine)))
	assert.Equal(t, seen, fresh)
}

func TestWaitingForAnEntry(t *testing.T) {
	b := &book{Machine: machine.New()}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, b.Await(ended, 1), context.Canceled)
	done := make(chan error, 1)
	go func() { done <- b.Await(context.Background(), 3) }()
	b.do(1, 1, put("a", "x"))
	b.index++
	assert.Equal(t, machine.Outcome{Revision: 2}, b.Apply(&raft.Log{Index: 2}), "an empty entry")
	b.StoreConfiguration(3, raft.Configuration{})
	require.NoError(t, <-done)
	assert.EqualValues(t, 3, b.Applied())
}
