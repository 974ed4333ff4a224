package integers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/integers"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func file(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "numbers.txt")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestNumbersAreReadAsScanfReadsThem(t *testing.T) {
	for text, want := range map[string][]int32{
		"":                          nil,
		" \n\t\v\f\r\n":             nil,
		"1":                         {1},
		"1\n":                       {1},
		"\n\n 1 \n":                 {1},
		"-1 +2 0 -0 +0 007 -007":    {-1, 2, 0, 0, 0, 7, -7},
		"2147483647 -2147483648":    {math.MaxInt32, math.MinInt32},
		"00000000000000000000012\n": {12},
		"-2147483648\n2147483647\n-2147483648\n2147483647\n": {math.MinInt32, math.MaxInt32, math.MinInt32, math.MaxInt32},
		"1-2+3":                        {1, -2, 3},
		"12345678 123456789 1234567":   {12345678, 123456789, 1234567},
		"1\r\n22\r\n333\r\n4444\r\n55": {1, 22, 333, 4444, 55},
		"99999999 999999999 1 2 3 4 5 6 7 8 9 10 11 12": {99999999, 999999999, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
	} {
		got, err := integers.Load(file(t, text))
		require.NoError(t, err, "%q", text)
		assert.True(t, slices.Equal(want, got), "%q: %v", text, got)
	}
}

func TestBadInputIsNamedByFileAndLine(t *testing.T) {
	const rangeText = "the number is not from -2147483648 to 2147483647"
	lines := strings.Repeat("17\n", 100_000) // more than a block
	for text, want := range map[string]string{
		"abc":                         `1: "abc" is not a number`,
		"1\n2\nx y\n4\n":              `3: "x" is not a number`,
		"1\n12abc\n":                  `2: "abc" is not a number`,
		"1\n1.5\n":                    `2: ".5" is not a number`,
		"-":                           `1: "-" is not a number`,
		"1\n2\n+\n":                   `3: "+" is not a number`,
		"--5 1 2 3 4 5 6 7 8 9 10 11": `1: "--5" is not a number`,
		"\n\n2147483648\n":            "3: " + rangeText,
		"2147483648":                  "1: " + rangeText,
		"1\n-2147483649\n3 4 5 6 7 8 9 10 11 12\n": "2: " + rangeText,
		"9999999999 1 2 3 4 5 6 7 8 9 10 11":       "1: " + rangeText,
		"99999999999999999999999999999999 1 2 3 4": "1: " + rangeText,
		"\x00":                      `1: "?" is not a number`,
		strings.Repeat("x", 100):    `1: "xxxxxxxxxxxxxxxxxxxx..." is not a number`,
		lines + "bad":               `100001: "bad" is not a number`,
		lines + "9999999999":        "100001: " + rangeText,
		lines + "bad\n" + lines:     `100001: "bad" is not a number`,
		lines + "1\n-\n1\n" + lines: `100002: "-" is not a number`,
	} {
		name := file(t, text)
		_, err := integers.Load(name)
		var bad *integers.Error
		require.ErrorAs(t, err, &bad)
		assert.EqualError(t, err, name+":"+want, "%.30q", text)
	}
}

func TestNumbersOfEveryLengthAreRead(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 7))
	spaces := []string{" ", "\n", "\r\n", "\t \v"}
	for range 200 {
		var text strings.Builder
		var want []int32
		for range 500 {
			n := int32(r.Uint32()) >> r.IntN(32)
			want = append(want, n)
			before := ""
			if n >= 0 && r.IntN(10) == 0 {
				before = []string{"+", "0", "0000000000"}[r.IntN(3)]
			}
			fmt.Fprint(&text, before, strconv.Itoa(int(n)), spaces[r.IntN(len(spaces))])
		}
		got, err := integers.Load(file(t, text.String()))
		require.NoError(t, err)
		require.True(t, slices.Equal(want, got))
	}
}

// The block ends at every place of the text once.
func TestBlocksMayEndAnywhere(t *testing.T) {
	const block = 256 << 10
	const text = "-2147483648 +7\n2147483647\t-12345678  9\n"
	want := []int32{math.MinInt32, 7, math.MaxInt32, -12345678, 9, 42}
	for before := range len(text) + 20 {
		got, err := integers.Load(file(t, strings.Repeat(" ", block-before)+text+"42"))
		require.NoError(t, err)
		require.Equal(t, want, got[:len(got):len(got)], "%d", before)
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	_, err := integers.Load(filepath.Join(t.TempDir(), "missing"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = integers.Load(t.TempDir())
	var path *fs.PathError
	require.ErrorAs(t, err, &path)
}

// draws are ways to draw numbers that sorting might get wrong.
var draws = map[string]func(r *rand.Rand) int32{
	"all":        func(r *rand.Rand) int32 { return int32(r.Uint32()) },
	"few":        func(r *rand.Rand) int32 { return r.Int32N(3) - 1 },
	"equal":      func(*rand.Rand) int32 { return -5 },
	"small":      func(r *rand.Rand) int32 { return r.Int32N(1000) - 500 },
	"extremes":   func(r *rand.Rand) int32 { return []int32{math.MinInt32, math.MaxInt32, 0, -1}[r.IntN(4)] },
	"one common": func(r *rand.Rand) int32 { return max(int32(r.Uint32()), 0) },
}

func drawn(seed uint64, n int, draw func(r *rand.Rand) int32) []int32 {
	r := rand.New(rand.NewPCG(seed, 7))
	numbers := make([]int32, n)
	for i := range numbers {
		numbers[i] = draw(r)
	}
	return numbers
}

func TestSortingAgreesWithTheLibrarys(t *testing.T) {
	for kind, draw := range draws {
		for _, n := range []int{0, 1, 2, 511, 512, 513, 5000, 100_000} {
			got := drawn(uint64(n), n, draw)
			want := slices.Sorted(slices.Values(got))
			integers.Sort(got)
			require.True(t, slices.Equal(want, got), "%s, %d", kind, n)
			integers.Sort(got) // in order already
			require.True(t, slices.Equal(want, got), "%s, %d again", kind, n)
			slices.Reverse(got)
			integers.Sort(got)
			require.True(t, slices.Equal(want, got), "%s, %d reversed", kind, n)
		}
	}
}

func TestMergingSortsWhatIsInTheLists(t *testing.T) {
	for kind, draw := range draws {
		for _, sizes := range [][]int{{}, {0}, {5}, {0, 5}, {1, 1}, {0, 3, 0, 4, 9}, {100_000, 1, 70_000}, {40_000, 40_000, 40_000, 40_000, 40_000},
			slices.Repeat([]int{3000}, 33)} {
			var lists [][]int32
			var want []int32
			for i, n := range sizes {
				list := drawn(uint64(i), n, draw)
				slices.Sort(list)
				lists, want = append(lists, list), append(want, list...)
			}
			slices.Sort(want)
			got := integers.Merge(lists)
			require.True(t, slices.Equal(want, got), "%s, %v", kind, sizes)
		}
	}
	// Lists whose keys do not overlap, and one within another.
	a, b := drawn(1, 100_000, draws["small"]), make([]int32, 100_000)
	for i := range b {
		b[i] = int32(i) + 1000
	}
	slices.Sort(a)
	got := integers.Merge([][]int32{b, a})
	require.True(t, slices.Equal(slices.Concat(a, b), got))
}

func TestTextIsOneNumberALine(t *testing.T) {
	edges := []int32{math.MinInt32, math.MinInt32 + 1, -2147480000, -10001, -10000, -9999, -1000, -999, -100, -99, -10, -9, -1,
		0, 1, 9, 10, 99, 100, 999, 1000, 9999, 10000, 10001, 10009, 19999, 20000, 99999, 100000, 2147480000, math.MaxInt32}
	for kind, numbers := range map[string][]int32{
		"none": nil, "edges": edges, "many": slices.Sorted(slices.Values(drawn(1, 150_000, draws["all"]))),
		"unordered": drawn(2, 1000, draws["all"]),
	} {
		var want bytes.Buffer
		for _, n := range numbers {
			fmt.Fprintln(&want, n)
		}
		name := filepath.Join(t.TempDir(), "out")
		require.NoError(t, integers.Write(name, numbers, t.Context))
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want.Bytes(), got), kind)
	}
}

func TestAnOutputIsReplacedAsAWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	name, link := filepath.Join(dir, "out"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(name, []byte("old\n"), 0o640))
	require.NoError(t, os.Symlink("out", link))
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	require.ErrorIs(t, integers.Write(link, make([]int32, 1_000_000), func() context.Context { return ctx }), stop)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "old\n", string(text))

	require.NoError(t, os.WriteFile(filepath.Join(dir, ".out.part"), []byte("of one that was killed"), 0o600))
	require.NoError(t, integers.Write(link, []int32{1, 2}, t.Context))
	text, err = os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "1\n2\n", string(text))
	st, err := os.Stat(name)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o640), st.Mode(), "it keeps its mode")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 2, "nothing else is left: %v", left)

	require.NoError(t, integers.Write("/dev/null", []int32{1}, t.Context))
	st, err = os.Stat("/dev/null")
	require.NoError(t, err)
	assert.NotZero(t, st.Mode()&fs.ModeDevice, "a device stays one")
	require.ErrorIs(t, integers.Write(filepath.Join(dir, "missing", "out"), nil, t.Context), fs.ErrNotExist)
}

func FuzzLoadAgreesWithSscanf(f *testing.F) {
	f.Add([]byte("1 -2\n+3"))
	f.Add([]byte("12345678901 5"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := integers.Load(file(t, string(text)))
		var want []int32
		bad := false
		rest := string(text)
		for {
			rest = strings.TrimLeft(rest, " \t\n\v\f\r")
			if rest == "" {
				break
			}
			end := strings.IndexFunc(rest[1:], func(c rune) bool { return c < '0' || c > '9' }) + 1
			if end == 0 {
				end = len(rest)
			}
			var n int32
			if _, err := fmt.Sscanf(rest[:end], "%d", &n); err != nil {
				bad = true
				break
			}
			want, rest = append(want, n), rest[end:]
		}
		require.Equal(t, bad, err != nil, "%q: %v", text, err)
		if !bad {
			require.True(t, slices.Equal(want, got), "%q: %v", text, got)
		}
	})
}

func benchNumbers() []int32 { return drawn(3, 5_000_000, draws["all"]) }

func BenchmarkLoad(b *testing.B) {
	var text bytes.Buffer
	for _, n := range benchNumbers() {
		fmt.Fprintln(&text, n)
	}
	name := file(b, text.String())
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		_, err := integers.Load(name)
		require.NoError(b, err)
	}
}

func BenchmarkSort(b *testing.B) {
	numbers := benchNumbers()
	copied := make([]int32, len(numbers))
	for b.Loop() {
		copy(copied, numbers)
		integers.Sort(copied)
	}
}

func BenchmarkMerge(b *testing.B) {
	var lists [][]int32
	for i := range 4 {
		list := drawn(uint64(i), 5_000_000, draws["all"])
		integers.Sort(list)
		lists = append(lists, list)
	}
	for b.Loop() {
		integers.Merge(lists)
	}
}

func BenchmarkWrite(b *testing.B) {
	numbers := benchNumbers()
	integers.Sort(numbers)
	name := filepath.Join(b.TempDir(), "out")
	for b.Loop() {
		require.NoError(b, integers.Write(name, numbers, b.Context))
	}
}
