package p05sysvmq

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
)

func TestParseKey(t *testing.T) {
	for text, want := range map[string]sysvmq.Key{
		"0x12345678": 0x12345678, "1": 1, "4294967295": -1, "0xffffffff": -1, "0x80000000": -1 << 31, "017": 17,
	} {
		key, err := parseKey(text)
		assert.NoError(t, err, text)
		assert.Equal(t, want, key, text)
	}
	for text, want := range map[string]error{
		"": errNoNumber, "0x": errNoNumber, "-1": errNoNumber, "+1": errNoNumber, " 1": errNoNumber,
		"0x100000000": errNoNumber, "1_0": errNoNumber, "0b1": errNoNumber, "0X1": errNoNumber, "0x0x1": errNoNumber,
		"f": errNoNumber, "0": errPrivate, "0x0": errPrivate,
	} {
		_, err := parseKey(text)
		assert.Equal(t, want, err, text)
	}
}

func TestParseID(t *testing.T) {
	for text, want := range map[string]int{"S": 'S', "1": 1, "101": 101, "0x65": 101, "1125": 1125, "\xff": 255, "2147483647": 1<<31 - 1} {
		id, err := parseID(text)
		assert.NoError(t, err, text)
		assert.Equal(t, want, id, text)
	}
	for text, want := range map[string]error{
		"": errNoID, "AB": errNoID, "-1": errNoID, "2147483648": errNoID, "0": errZeroID, "256": errZeroID,
	} {
		_, err := parseID(text)
		assert.Equal(t, want, err, text)
	}
}

// In a file system in memory inodes are numbered one after the other, so two files with
// the same low 16 bits can be made.
func TestAnotherFileWithTheSameKeyIsFound(t *testing.T) {
	dir := filepath.Join("/dev/shm", ipctest.Name(t))
	require.NoError(t, os.Mkdir(dir, 0o700))
	defer os.RemoveAll(dir)
	one, other := filepath.Join(dir, "one"), filepath.Join(dir, "other")
	require.NoError(t, os.WriteFile(one, nil, 0o600))
	key, err := sysvmq.Ftok(one, 'S')
	require.NoError(t, err)

	var alone bytes.Buffer
	require.NoError(t, explain(&alone, one, 'S'))
	assert.Contains(t, alone.String(), "files looked at has it")

	for made := 0; ; made++ {
		require.Less(t, made, 1<<20, "no such file can be made")
		require.NoError(t, os.WriteFile(other, nil, 0o600))
		same, err := sysvmq.Ftok(other, 'S')
		require.NoError(t, err)
		if same == key {
			break
		}
		require.NoError(t, os.Remove(other))
	}
	require.NoError(t, os.Link(one, filepath.Join(dir, "link")), "another name of the same file is no collision")
	require.NoError(t, os.Symlink(one, filepath.Join(dir, "symlink")))
	for _, names := range [][2]string{{one, other}, {other, one}} {
		var out bytes.Buffer
		require.NoError(t, explain(&out, names[0], 'S'))
		assert.Contains(t, out.String(), fmt.Sprintf("key %s = ftok(\"%s\", 0x53)\n", key, names[0]))
		if names[1] == one {
			assert.Regexp(t, fmt.Sprintf("  %s = ftok\\(\"%s/(one|link)\", 0x53\\)  inode 0x[0-9a-f]+  another file\n", key, dir), out.String())
		} else {
			assert.Contains(t, out.String(), fmt.Sprintf("  %s = ftok(\"%s\", 0x53)", key, other))
		}
		assert.Contains(t, out.String(), fmt.Sprintf("  %s = ftok(\"%s\", 0x153)", key, names[0]))
	}

	// Asked about a third file, it shows the two.
	third := filepath.Join(dir, "third")
	require.NoError(t, os.WriteFile(third, nil, 0o600))
	var out bytes.Buffer
	require.NoError(t, explain(&out, third, 'S'))
	assert.Contains(t, out.String(), "these two have one key")
	assert.Equal(t, 2, strings.Count(out.String(), "  "+key.String()+" = "))
}
