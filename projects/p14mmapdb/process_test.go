package p14mmapdb

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

// fail is how a role ends that finds something wrong.
func fail(format string, args ...any) int {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	return 1
}

// A reader that stays in one state until its input ends, and then sees that it is the same.
var _ = ipctest.Role("reader", func(args []string) int {
	db, err := Open(args[0], Options{ReadOnly: true})
	if err != nil {
		return fail("%v", err)
	}
	defer db.Close()
	err = db.View(func(t *Tx) error {
		before, err := digest(t)
		if err != nil {
			return err
		}
		fmt.Println("reading")
		_, _ = io.Copy(io.Discard, os.Stdin)
		t.verify = true
		after, err := digest(t)
		if err == nil && before != after {
			err = errors.New("the state has changed")
		}
		return err
	})
	if err != nil {
		return fail("%v", err)
	}
	return 0
})

// digest is a checksum of all records.
func digest(t *Tx) (sum uint32, err error) {
	var all []byte
	c := t.Cursor()
	for more := c.First(); more; more = c.Next() {
		key, value, err := c.Record()
		if err != nil {
			return 0, err
		}
		all = append(append(all, key...), value...)
	}
	return checksum(all), c.Err()
}

// A writer that counts up, the same number in twenty records far from each other.
var _ = ipctest.Role("writer", func(args []string) int {
	db, err := Open(args[0], Options{NoSync: args[1] == "nosync"})
	if err != nil {
		return fail("%v", err)
	}
	for i := 1; ; i++ {
		if err := db.Update(ctx, func(t *Tx) error { return putNumber(t, fmt.Sprint(i)) }); err != nil {
			return fail("%v", err)
		}
		fmt.Println(i)
	}
})

func putNumber(t *Tx, number string) error {
	for k := range 20 {
		value := number + strings.Repeat(".", 40*k*k)
		if err := t.Put(fmt.Appendf(nil, "%05d number", 500*k), []byte(value)); err != nil {
			return err
		}
	}
	return nil
}

// number is what all of the twenty records have.
func number(t *Tx) (string, error) {
	all := map[string]bool{}
	n := ""
	for k := range 20 {
		v, err := t.Get(fmt.Appendf(nil, "%05d number", 500*k))
		if err != nil {
			return "", err
		}
		n, _, _ = strings.Cut(string(v), ".")
		all[n] = true
	}
	if len(all) != 1 {
		return "", fmt.Errorf("half a transaction: %v", all)
	}
	return n, nil
}

func fill(t testing.TB, db *DB, records int, value string) {
	t.Helper()
	require.NoError(t, db.Update(ctx, func(tx *Tx) error {
		for i := range records {
			if err := tx.Put(fmt.Appendf(nil, "%05d", i), []byte(value)); err != nil {
				return err
			}
		}
		return putNumber(tx, "0")
	}))
}

// child is a role that is running.
type child struct {
	*exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors bytes.Buffer
}

func start(t testing.TB, role string, args ...string) *child {
	t.Helper()
	c := &child{Cmd: ipctest.Command(t, role, args...)}
	var err error
	c.in, err = c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	c.out = bufio.NewReader(out)
	c.Stderr = &c.errors
	require.NoError(t, c.Start())
	return c
}

// says waits for a line.
func (c *child) says(t testing.TB) string {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		_ = c.Wait()
		require.NoError(t, err, c.errors.String())
	}
	return strings.TrimSuffix(line, "\n")
}

// ends has a reader compare, and end well.
func (c *child) ends(t testing.TB) {
	t.Helper()
	require.NoError(t, c.in.Close())
	_, _ = io.Copy(io.Discard, c.out)
	require.NoError(t, c.Wait(), c.errors.String())
}

// killed is kill -9.
func (c *child) killed(t testing.TB) {
	t.Helper()
	require.NoError(t, c.Process.Kill())
	_, _ = io.Copy(io.Discard, c.out)
	_ = c.Wait()
}

func stat(t testing.TB, db *DB) Stats {
	t.Helper()
	s, err := db.Stat()
	require.NoError(t, err)
	return s
}

func whole(t testing.TB, db *DB) {
	t.Helper()
	_, err := db.Check()
	require.NoError(t, err)
}

func TestAReaderOfAnotherProcessKeepsItsState(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, Options{NoSync: true})
	fill(t, db, 2000, "first")
	var readers []*child
	for i := range 3 {
		r := start(t, "reader", db.path)
		require.Equal(t, "reading", r.says(t))
		readers = append(readers, r)
		for j := range 6 { // the file grows, too
			fill(t, db, 2000, strings.Repeat(fmt.Sprint(i, j), 60))
		}
	}
	whole(t, db)
	for _, r := range readers {
		r.ends(t)
	}
}

func TestTheReaderCheckSeesAPageThatIsUsedTooEarly(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, Options{NoSync: true})
	fill(t, db, 2000, "first")
	r := start(t, "reader", db.path)
	require.Equal(t, "reading", r.says(t))
	clear(db.session.memory[slotsAt : slotsAt+8*slotSize]) // nobody reads
	for j := range 6 {
		fill(t, db, 2000, fmt.Sprint("value ", j))
		require.NoError(t, db.Sync(ctx))
	}
	require.NoError(t, r.in.Close())
	assert.Error(t, r.Wait())
}

func TestTheNextCommitUsesThePagesOfAKilledReader(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, Options{})
	fill(t, db, 2000, "first")
	for i := range 4 {
		fill(t, db, 2000, fmt.Sprint("before ", i))
	}
	r := start(t, "reader", db.path)
	require.Equal(t, "reading", r.says(t))
	before := stat(t, db)
	for i := range 4 {
		fill(t, db, 2000, fmt.Sprint("value ", i))
	}
	held := stat(t, db)
	require.Greater(t, held.Pages, before.Pages+before.Pages/2, "while it lives they are kept")
	r.killed(t)
	require.Equal(t, held.Readers, stat(t, db).Readers, "nobody has noticed")
	for i := range 8 {
		fill(t, db, 2000, fmt.Sprint("after ", i))
		require.Equal(t, held.Pages, stat(t, db).Pages, "commit %d", i)
	}
	require.Equal(t, 1, stat(t, db).Readers)
	whole(t, db)
}

func TestAWriterThatIsKilledLeavesTheStateBeforeOrAfter(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"sync", "nosync"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			db := newDatabase(t, Options{NoSync: true})
			fill(t, db, 2000, "value")
			for round := range 12 {
				w := start(t, "writer", db.path, mode)
				said := ""
				for range 1 + round*round/2 {
					said = w.says(t)
				}
				if round%3 == 2 { // it begins a new session
					require.NoError(t, db.Close())
				}
				require.NoError(t, w.Process.Kill())
				rest, err := io.ReadAll(w.out)
				require.NoError(t, err)
				_ = w.Wait()
				if all := strings.Fields(string(rest)); len(all) > 0 {
					said = all[len(all)-1]
				}
				if round%3 == 2 {
					db = open(t, db.path, Options{NoSync: true})
				}
				require.NoError(t, db.View(func(tx *Tx) error {
					n, err := number(tx)
					var got, last int
					_, _ = fmt.Sscan(n, &got)
					_, _ = fmt.Sscan(said, &last)
					assert.True(t, got >= last && got <= last+1, "%s is there, and %s was reported", n, said)
					return err
				}))
				require.NoError(t, db.Update(ctx, func(tx *Tx) error { return putNumber(tx, "0") }))
				whole(t, db)
			}
		})
	}
}
