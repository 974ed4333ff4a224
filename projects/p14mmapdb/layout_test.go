package p14mmapdb

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

// command runs a program and gives its standard output.
func command(t testing.TB, input []byte, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = bytes.NewReader(input)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	require.NoError(t, err, "%v: %s", args, errors.String())
	return string(out)
}

func TestCReadsPagesAsGoWritesThem(t *testing.T) {
	c := ipctest.CProgram(t, "testdata/layout.c")
	h := encodeHeader()
	assert.Equal(t, fmt.Sprintf("unpmmdb1 1 4096 %08x 1\n", le32(h[4092:])), command(t, h, c, "header"))

	m := meta{at: 2, tx: 1 << 40, root: 5, depth: 6, records: 1 << 41, pages: 400, log: 9, logLen: 10, free: 11, flushed: true}
	for i := range uint32(maxListed) {
		m.list = append(m.list, listed{firstPage + i, 1, i})
	}
	assert.Equal(t, "1 2 1099511627776 5 6 2199023255552 400 9 10 11 336 1: 338 1 335\n", command(t, m.encode(), c, "meta"))

	var p page
	p.reset(kindLeaf)
	require.True(t, p.insert(0, append([]byte{2, 0, 1, 0}, "hiv"...), 0))
	require.True(t, p.insert(0, append([]byte{2, 0, 1, 0}, "hav"...), 0))
	seal(p[:], 77, 78)
	assert.Contains(t, command(t, p[:], c, "page"), "1 77 78 1 2 1 4082: 1627389952 ")

	l := make([]byte, pageSize)
	l[16] = kindLog
	put16(l[18:], maxLogged)
	put32(l[pageHeader:], 80)
	last := l[logAt+16*(maxLogged-1):]
	put64(last, 81)
	put32(last[8:], 82)
	put32(last[12:], 83)
	seal(l, 84, 85)
	assert.Equal(t, "1 84 85 4 254 0 0: 80 80 81 82 83\n", command(t, l, c, "page"))

	assert.Equal(t, fmt.Sprintf("%d %d %d %d %d %d %d %d %d %d %08x\n", lockSize, newestAt, durableAt, failedAt, usedAt,
		slotsAt+slotSize, MaxKey, MaxValue, inlineLimit, maxDepth, head([]byte("prefix\xff"), 5)), command(t, l, c, "rest"))
}
