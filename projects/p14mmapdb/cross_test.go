package p14mmapdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/programs"
)

// program runs one of ours; its exit status is 0 or 1.
func program(t testing.TB, input []byte, args ...string) (out string, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = bytes.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil && (cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(stderr.String(), "mmapdb: ")) {
		assert.NoError(t, err, "%v: %s", args, stderr.String())
	}
	return stdout.String() + stderr.String(), err == nil
}

// succeed is program for what must succeed.
func succeed(t testing.TB, input []byte, args ...string) string {
	t.Helper()
	out, ok := program(t, input, args...)
	require.True(t, ok, "%v: %s", args, out)
	return out
}

// linesOf are records in the form of scan.
func linesOf(records map[string]string) string {
	var b []byte
	for _, key := range slices.Sorted(maps.Keys(records)) {
		b = append(AppendText(b, []byte(key)), '\t')
		b = append(AppendText(b, []byte(records[key])), '\n')
	}
	return string(b)
}

// change is a random transaction, made to the model, too.
func change(rng *rand.Rand, model map[string]string, newKey func(*rand.Rand) string) (puts map[string]string, gone string) {
	if rng.IntN(4) == 0 && len(model) > 0 {
		keys := slices.Sorted(maps.Keys(model))
		gone = keys[rng.IntN(len(keys))]
		if !strings.Contains(gone, "\x00") { // an argument cannot have that
			delete(model, gone)
			return nil, gone
		}
	}
	puts = map[string]string{}
	for range 1 + rng.IntN(1+rng.IntN(100)) {
		puts[newKey(rng)] = anyValue(rng)
	}
	maps.Copy(model, puts)
	return puts, ""
}

func TestGoAndCOverAndOver(t *testing.T) {
	inC := filepath.Join(programs.Build(t, "p14mmapdb").C, "mmapdb")
	for name, test := range map[string]func(t *testing.T, inC string){
		"they take turns":                                    takeTurns,
		"they write and read at once":                        atOnce,
		"they find the same flipped bits":                    flippedBits,
		"pages that make no sense make neither of them fall": nonsense,
		"a lock file that is cut off or empty is made anew, and a foreign one refused": lockFiles,
	} {
		t.Run(name, func(t *testing.T) { test(t, inC) })
	}
}

// Of the lock file anything may have come to the disk when the power failed.
func lockFiles(t *testing.T, inC string) {
	path := filepath.Join(t.TempDir(), "db")
	succeed(t, nil, inC, "create", path)
	succeed(t, nil, inC, "insert", path, "key", "value")
	whole, err := os.ReadFile(lockPath(path))
	require.NoError(t, err)
	require.Len(t, whole, lockSize)
	get := map[string]func() error{
		"C": func() error {
			out, ok := program(t, nil, inC, "get", path, "key")
			if !ok || out != "value\n" {
				return errors.New(out)
			}
			return nil
		},
		"Go": func() error {
			db, err := Open(path, Options{})
			if err != nil {
				return err
			}
			return errors.Join(db.View(func(tx *Tx) error {
				_, err := tx.Get([]byte("key"))
				return err
			}), db.Close())
		},
	}
	for name, get := range get {
		for _, n := range []int{0, 8, 64, 100_000, lockSize} {
			require.NoError(t, os.WriteFile(lockPath(path), whole[:n], 0o600))
			assert.NoError(t, get(), "%s, %d bytes", name, n)
			require.NoError(t, os.WriteFile(lockPath(path), make([]byte, n), 0o600))
			assert.NoError(t, get(), "%s, %d zeros", name, n)
		}
		foreign := []byte("somebody else's file")
		require.NoError(t, os.WriteFile(lockPath(path), foreign, 0o600))
		assert.Error(t, get(), name)
		b, err := os.ReadFile(lockPath(path))
		require.NoError(t, err)
		assert.Equal(t, foreign, b, name)
	}
}

func takeTurns(t *testing.T, inC string) {
	for _, form := range slices.Sorted(maps.Keys(keysOf)) {
		for _, stays := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, Go has it open all the time: %v", form, stays), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(14, uint64(len(form))))
				path := filepath.Join(t.TempDir(), "db")
				require.NoError(t, Create(path, 0))
				model := map[string]string{}
				if stays {
					open(t, path, Options{})
				}
				for i := range 40 {
					puts, gone := change(rng, model, keysOf[form])
					switch {
					case i%2 == 0:
						turnOfGo(t, path, puts, gone)
					case gone != "":
						succeed(t, nil, inC, "delete", "--no-sync", "--", path, gone)
					default:
						succeed(t, []byte(linesOf(puts)), inC, "insert", "--no-sync", path, "--from", "-")
					}
					checked := succeed(t, nil, inC, "check", path)
					assert.Contains(t, checked, fmt.Sprintf(" %d records ", len(model)))
					if i%8 == 7 {
						require.True(t, linesOf(model) == succeed(t, nil, inC, "scan", path))
					}
				}
				db := open(t, path, Options{})
				require.NoError(t, db.View(func(tx *Tx) error {
					same(t, tx, model, rng, keysOf[form])
					return nil
				}))
				_, err := db.Check()
				require.NoError(t, err)
			})
		}
	}
}

func turnOfGo(t *testing.T, path string, puts map[string]string, gone string) {
	db, err := Open(path, Options{NoSync: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	require.NoError(t, db.Update(ctx, func(tx *Tx) error {
		if gone != "" {
			return tx.Delete([]byte(gone))
		}
		for _, key := range slices.Sorted(maps.Keys(puts)) {
			if err := tx.Put([]byte(key), []byte(puts[key])); err != nil {
				return err
			}
		}
		return nil
	}))
	_, err = db.Check()
	require.NoError(t, err)
}

// Each writer gives ten keys one value in each transaction, so that a reader who finds two
// values has not seen one state.
func atOnce(t *testing.T, inC string) {
	const transactions = 150
	db := newDatabase(t, Options{NoSync: true})
	key := func(writer, i int) string { return fmt.Sprintf("writer-%d-%d", writer, i) }
	value := func(i int) string { return strings.Repeat(fmt.Sprintf("%d.", i), 1+i%40*i%40) }
	var writers, readers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() { // C
			var lines strings.Builder
			for i := range transactions {
				for k := range 10 {
					fmt.Fprintf(&lines, "%s\t%s\n", key(w, k), value(i))
				}
			}
			succeed(t, []byte(lines.String()), inC, "insert", "--no-sync", db.Path(), "--from", "-", "--batch", "10")
		})
		writers.Go(func() { // Go
			for i := range transactions {
				assert.NoError(t, db.Update(ctx, func(tx *Tx) error {
					for k := range 10 {
						if err := tx.Put([]byte(key(2+w, k)), []byte(value(i))); err != nil {
							return err
						}
					}
					return nil
				}))
			}
		})
	}
	done := make(chan struct{})
	loop := func(f func()) {
		readers.Go(func() {
			for {
				f()
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	oneState := func(found map[string]string) {
		values := map[string]string{}
		for k, v := range found {
			writer := k[:len("writer-0")]
			if before, ok := values[writer]; ok && before != v {
				assert.Fail(t, "two states at once", "%s has %s and %s", writer, before, v)
			}
			values[writer] = v
		}
	}
	loop(func() {
		found := map[string]string{}
		assert.NoError(t, db.View(func(tx *Tx) error {
			c := tx.Cursor()
			for more := c.First(); more; more = c.Next() {
				k, v, err := c.Record()
				if err != nil {
					return err
				}
				found[string(k)] = string(v)
			}
			return c.Err()
		}))
		oneState(found)
	})
	loop(func() {
		found := map[string]string{}
		for line := range strings.Lines(succeed(t, nil, inC, "scan", db.Path())) {
			k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			found[k] = v
		}
		oneState(found)
	})
	loop(func() { succeed(t, nil, inC, "check", db.Path()) })
	loop(func() { // killed at any moment
		cmd := exec.Command(inC, "scan", db.Path())
		if assert.NoError(t, cmd.Start()) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	writers.Wait()
	close(done)
	readers.Wait()
	succeed(t, nil, inC, "check", db.Path())
	r, err := db.Check()
	require.NoError(t, err)
	assert.Equal(t, uint64(40), r.Records)
	for w := range 4 {
		assert.Equal(t, value(transactions-1)+"\n", succeed(t, nil, inC, "get", db.Path(), key(w, 9)))
	}
}

// mixedDatabase is a file with pages of all kinds, some of them free.
func mixedDatabase(t *testing.T) []byte {
	db := newDatabase(t, Options{})
	rng := rand.New(rand.NewPCG(1, 4))
	for i := range 6 {
		require.NoError(t, db.Update(ctx, func(tx *Tx) error {
			for k := range 60 {
				key := fmt.Appendf(nil, "%s%d", strings.Repeat("k", 1+k*9), k*i%50)
				if err := tx.Put(key, bytes.Repeat([]byte{byte('a' + i)}, rng.IntN(300))); err != nil {
					return err
				}
			}
			return tx.Put(fmt.Appendf(nil, "far%d", i%4), bytes.Repeat([]byte("far "), 1000+300*i))
		}))
	}
	b, err := os.ReadFile(db.Path())
	require.NoError(t, err)
	return b
}

// verdicts are what the check of Go and that of C say of a file.
func verdicts(t *testing.T, inC, path string, b []byte) (inGo bool, other bool, why string) {
	_ = os.Remove(lockPath(path))
	require.NoError(t, os.WriteFile(path, b, 0o600))
	why, other = program(t, nil, inC, "check", path)
	db, err := Open(path, Options{})
	if err == nil {
		_, err = db.Check()
		require.NoError(t, db.Close())
	}
	if err != nil {
		require.True(t, errors.Is(err, ErrDamaged) || errors.Is(err, ErrForeign), "%v", err)
		why += err.Error()
	}
	return err == nil, other, why
}

func flippedBits(t *testing.T, inC string) {
	whole := mixedDatabase(t)
	path := filepath.Join(t.TempDir(), "db")
	inGo, other, why := verdicts(t, inC, path, whole)
	require.True(t, inGo && other, why)
	found := 0
	rng := rand.New(rand.NewPCG(1, 5))
	for page := range len(whole) / pageSize {
		b := bytes.Clone(whole)
		b[page*pageSize+rng.IntN(pageSize)] ^= 1 << rng.IntN(8)
		inGo, other, why = verdicts(t, inC, path, b)
		assert.Equal(t, inGo, other, "page %d: %s", page, why)
		if !inGo {
			found++
		} else {
			assert.GreaterOrEqual(t, page, firstPage)
		}
		if found > 50 {
			break
		}
	}
	assert.Greater(t, found, 20)
}

// A page of nonsense whose checksum is right must not make anybody fall.
func nonsense(t *testing.T, inC string) {
	whole := mixedDatabase(t)
	m, ok := decodeMeta(whole[pageSize:2*pageSize], 1)
	require.True(t, ok)
	if second, ok := decodeMeta(whole[2*pageSize:3*pageSize], 2); ok && second.tx > m.tx {
		m = second
	}
	m.flushed, m.list = true, nil // the newest state is taken as it is
	copy(whole[int(m.at)*pageSize:], m.encode())
	path := filepath.Join(t.TempDir(), "db")
	inGo, other, why := verdicts(t, inC, path, whole)
	require.True(t, inGo && other, why)
	rng := rand.New(rand.NewPCG(1, 6))
	for range 40 {
		b := bytes.Clone(whole)
		page := firstPage + rng.IntN(int(m.pages)-firstPage)
		p := b[page*pageSize:][:pageSize]
		for range 1 + rng.IntN(6) {
			at := 16 + rng.IntN(100)
			if rng.IntN(2) == 0 {
				at = 16 + rng.IntN(pageSize-16)
			}
			p[at] = byte(rng.Uint32())
		}
		put32(p, checksum(p[4:]))
		inGo, other, why = verdicts(t, inC, path, b)
		assert.Equal(t, inGo, other, "page %d: %s", page, why)
		program(t, nil, inC, "scan", path)
		program(t, nil, inC, "scan", "--reverse", path)
		program(t, []byte("kkkk1\tx\nkkkkkkkk\ty\nzz\tz\n"), inC, "insert", "--no-sync", path, "--from", "-")
		program(t, nil, inC, "delete", "--no-sync", path, "far1")
		db, err := Open(path, Options{NoSync: true})
		if err == nil {
			_ = db.Update(ctx, func(tx *Tx) error {
				return errors.Join(tx.Put([]byte("kkkkk"), []byte("v")), tx.Delete([]byte("far2")))
			})
			require.NoError(t, db.Close())
		}
	}
}
