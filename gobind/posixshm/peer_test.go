package posixshm_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
)

func TestBytesGoBothWaysBetweenGoAndC(t *testing.T) {
	o := create(t, 0o600)
	require.NoError(t, o.Allocate(5000))
	memory, err := o.Map(5000, true)
	require.NoError(t, err)
	defer posixshm.Unmap(memory)
	copy(memory[4990:], "from Go")
	c := inC(t, nil, "open "+o.Name()+" w 0", "stat", "map 5000 w", "read 4990 10", "write 4093 66726f6d2043", "hold", "read 0 1")
	assert.Equal(t, []string{"0", "mode 600, 5000 bytes", "0", "66726f6d20476f000000", "0"}, c.Lines(5))
	assert.Equal(t, "from C", string(memory[4093:4099]), "across a page")
	memory[0] = 0xab
	assert.Equal(t, []string{"0", "ab"}, c.Rest())
}

func TestAnObjectMadeByCIsUsedByGo(t *testing.T) {
	name := "/" + ipctest.Name(t)
	c := inC(t, nil, "open "+name+" wcx 640", "allocate 300", "map 300 w", "write 0 0102", "hold", "read 2 2", "unlink "+name)
	assert.Equal(t, []string{"0", "0", "0", "0"}, c.Lines(4))
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	require.NoError(t, err)
	defer o.Close()
	size, err := o.Size()
	require.NoError(t, err)
	require.Equal(t, 300, size)
	memory, err := o.Map(size, true)
	require.NoError(t, err)
	defer posixshm.Unmap(memory)
	assert.Equal(t, []byte{1, 2, 0}, memory[:3])
	memory[2], memory[3] = 3, 4
	assert.Equal(t, []string{"0", "0304", "0"}, c.Rest())
	_, err = posixshm.Open(name, unix.O_RDWR, 0)
	assert.ErrorIs(t, err, unix.ENOENT)
}

// What C gets for the same arguments is what Go must get.
func TestNamesAndFlagsAreJudgedAsInC(t *testing.T) {
	there := create(t, 0o600)
	fresh := func() string { return "/" + ipctest.Name(t) }
	for _, c := range []struct {
		is, name, letters string
		flags             int
		want              syscall.Errno
	}{
		{"one to read", there.Name(), "r", unix.O_RDONLY, 0},
		{"one to make alone", there.Name(), "wcx", unix.O_RDWR | unix.O_CREAT | unix.O_EXCL, unix.EEXIST},
		{"one to cut", there.Name(), "wt", unix.O_RDWR | unix.O_TRUNC, 0},
		{"none", fresh(), "w", unix.O_RDWR, unix.ENOENT},
		{"no slash", strings.TrimPrefix(there.Name(), "/"), "w", unix.O_RDWR, 0},
		{"two slashes", "/" + there.Name(), "w", unix.O_RDWR, 0},
		{"a slash alone", "/", "w", unix.O_RDWR, unix.EINVAL},
		{"a slash within", "/a/b", "wc", unix.O_RDWR | unix.O_CREAT, unix.EINVAL},
		{"255 bytes", "/" + strings.Repeat("x", 255), "w", unix.O_RDWR, unix.ENOENT},
		{"256 bytes", "/" + strings.Repeat("x", 256), "wc", unix.O_RDWR | unix.O_CREAT, unix.ENAMETOOLONG},
	} {
		t.Run(c.is, func(t *testing.T) {
			out := inC(t, nil, fmt.Sprintf("open %s %s 600", c.name, c.letters)).Rest()
			require.Len(t, out, 1)
			assert.Equal(t, ipctest.Outcome(c.want), out[0], "C")
			o, err := posixshm.Open(c.name, c.flags, 0o600)
			assert.Equal(t, out[0], ipctest.Outcome(err), "Go: %v", err)
			if err == nil {
				assert.NoError(t, o.Close())
			}
		})
	}
}

func TestPerlReadsAndWritesTheFile(t *testing.T) {
	o := create(t, 0o600)
	require.NoError(t, o.Allocate(100))
	memory, err := o.Map(100, true)
	require.NoError(t, err)
	defer posixshm.Unmap(memory)
	copy(memory[10:], "to perl")
	out := ipctest.Output(t, "perl", "-we", `use strict;
		open my $f, '+<', "/dev/shm$ARGV[0]" or die $!;
		sysseek $f, 10, 0; sysread $f, my $text, 7; print $text;
		sysseek $f, 50, 0; syswrite $f, "from perl"`, o.Name())
	assert.Equal(t, "to perl", out)
	assert.Equal(t, "from perl", string(memory[50:59]))
}

func TestOnlyPartsAndPrivatelyMapped(t *testing.T) {
	o := create(t, 0o600)
	page := os.Getpagesize()
	require.NoError(t, o.Allocate(3*page))
	all, err := o.Map(3*page, true)
	require.NoError(t, err)
	defer posixshm.Unmap(all)
	all[page] = 1
	part, err := o.MapRange(int64(page), 10, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	require.NoError(t, err)
	defer posixshm.Unmap(part)
	assert.Equal(t, byte(1), part[0])
	part[0] = 2
	assert.Equal(t, byte(1), all[page])
	_, err = o.MapRange(10, 10, unix.PROT_READ, unix.MAP_SHARED)
	assert.ErrorIs(t, err, unix.EINVAL)
	assert.ErrorContains(t, err, o.Name())
}
