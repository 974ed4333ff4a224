package p12shmring

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/programs"
)

// Both sides run at once; small rings make both sleep often, so a lost wake-up shows as
// a hang. Every byte is verified.
func TestEveryMessageArrivesWholeAndInOrder(t *testing.T) {
	for _, test := range []struct {
		capacity, most, batch int
		count                 uint64
	}{{64, 24, 0, 300}, {256, 100, 0, 1000}, {256, 100, 100, 1000}, {4096, 2040, 0, 3000}, {1 << 16, 500, 1 << 13, 20_000}} {
		r := newRing(t, test.capacity)
		p, c := r.Producer(), r.Consumer()
		p.Batch = test.batch
		sizes := Sizes{Most: test.most, Vary: true}
		sent := make(chan error)
		var bytes int64
		go func() {
			o, err := produce(p, test.count, sizes, Check)
			bytes = o.Bytes
			sent <- err
		}()
		o, err := consume(c, 0, Check)
		require.NoError(t, err, "%+v", test)
		require.NoError(t, <-sent)
		assert.Equal(t, int64(test.count), o.Count)
		assert.Equal(t, bytes, o.Bytes)
	}
}

func TestRoundTripsAreTimedOneByOne(t *testing.T) {
	there, back := newRing(t, 256), newRing(t, 256)
	echoed := make(chan error)
	go func() {
		_, err := echo(there.Consumer(), back.Producer())
		echoed <- err
	}()
	times, err := ping(there.Producer(), back.Consumer(), 300, 64)
	require.NoError(t, err)
	require.NoError(t, <-echoed)
	assert.Equal(t, int64(300), times.TotalCount())
}

// The checks are known to see what they are for.
func TestAWrongMessageIsSeen(t *testing.T) {
	m := make([]byte, 100)
	for _, spoil := range []func(){
		func() { m[50] ^= 1 }, func() { m[0] ^= 1 }, func() { m[99] ^= 1 }, func() { m = m[:99] }, func() { m = m[:15] },
	} {
		m = m[:100]
		fill(m, 7)
		require.NoError(t, verify(m, 7))
		require.Error(t, verify(m, 8))
		spoil()
		assert.Error(t, verify(m, 7))
	}
	m = m[:100]
	stamp(m, 7)
	require.NoError(t, compare(m, 7))
	assert.Error(t, compare(m, 6))
	m[99] = 1
	assert.Error(t, compare(m, 7))
	assert.Error(t, compare(m[:15], 7))

	r := newRing(t, 256)
	require.NoError(t, r.Producer().Send(m))
	_, err := consume(r.Consumer(), 0, Copy)
	assert.ErrorContains(t, err, "message 1")
}

// The rows' processes are the programs of bin/p12, here built for the test.
func TestEveryRowVerifiesEveryMessage(t *testing.T) {
	built := programs.Build(t, "p12shmring")
	bin := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(bin, "p12"), 0o700))
	for _, name := range built.Names {
		require.NoError(t, os.Symlink(filepath.Join(built.Go, name), filepath.Join(bin, "p12", name)))
	}
	require.NoError(t, os.Symlink(built.C, filepath.Join(bin, "p12", "ref")))
	buildPeer(t, filepath.Join(bin, "p12"))
	cfg := measure.Config{Bin: bin, Sizes: []int{64, 1 << 10}}.Defaults()
	for _, row := range rows(cfg) {
		for _, v := range row.Variants {
			s, err := v.Run(t.Context(), &cfg, 50)
			if _, skipped := measure.Skipped(err); skipped && (v.Name == "C pipe" || v.Name == "C Unix socket") {
				continue // of package transfer, which has tests of its own
			}
			require.NoError(t, err, "%s %d %s", row.Name, row.Size, v.Name)
			assert.Equal(t, int64(50), s.Verified, "%s %d %s", row.Name, row.Size, v.Name)
			assert.Positive(t, s.Elapsed)
		}
	}
	assert.Empty(t, rows(measure.Config{Sizes: []int{1, 1 << 30}}), "what does not fit has no row")
}

func TestRowsWithoutProgramsAreSkippedWithTheReason(t *testing.T) {
	cfg := measure.Config{Bin: t.TempDir()}.Defaults()
	_, err := rows(cfg)[0].Variants[0].Run(t.Context(), &cfg, 10)
	reason, skipped := measure.Skipped(err)
	assert.True(t, skipped)
	assert.Contains(t, reason, "make build")
}

func TestAnOutcomeIsReadAsItIsWritten(t *testing.T) {
	o := outcome{Count: 3, Bytes: 300, NS: 7, Histogram: [][2]int64{{5, 3}}}
	text, err := json.Marshal(&o)
	require.NoError(t, err)
	assert.JSONEq(t, `{"count":3,"bytes":300,"ns":7,"histogram":[[5,3]]}`, string(text))
}
