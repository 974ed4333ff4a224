package transfer

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/measure"
)

func TestAllRowsAreMeasuredInGoAndC(t *testing.T) {
	cfg := config(t)
	cfg.Sizes = []int{1, 64, 4096}
	rows := Rows(*cfg)
	require.Len(t, rows, 2*len(Channels)*3+2)
	res, err := measure.Run(t.Context(), rows, *cfg, nil)
	require.NoError(t, err)
	require.Len(t, res.Rows, len(rows))
	for _, r := range res.Rows {
		require.Empty(t, r.Failed, "%s %d", r.Name, r.Size)
		require.Empty(t, r.Skipped, "%s %d", r.Name, r.Size)
		assert.Equal(t, "Go", r.Variants[0].Name)
		assert.Equal(t, "C", r.Variants[len(r.Variants)-1].Name)
		for i, v := range r.Variants {
			assert.Positive(t, v.Median, "%s %d", r.Name, r.Size)
			assert.InDelta(t, 2*v.Operations, v.Verified, 1)
			assert.Equal(t, i > 0, v.Ratio != nil)
			assert.Equal(t, r.LowerIsBetter, v.Times != nil)
		}
	}
}

func TestRowsCarryTheGoals(t *testing.T) {
	goals := map[string]map[int]float64{}
	for _, r := range Rows(measure.Config{}) {
		if goals[r.Name] == nil {
			goals[r.Name] = map[int]float64{}
		}
		for _, v := range r.Variants {
			if v.Goal != 0 {
				goals[r.Name][r.Size] = v.Goal
			}
		}
	}
	bw := map[int]float64{64: 0.90, 1 << 10: 0.95, 16 << 10: 0.95}
	lat := map[int]float64{}
	for _, size := range []int{1, 64} {
		lat[size] = 1.15
	}
	assert.Equal(t, map[string]map[int]float64{
		"bw_pipe": bw, "bw_fifo": bw, "bw_unix_stream": bw, "bw_unix_seqpacket": bw,
		"lat_pipe": lat, "lat_fifo": lat, "lat_unix_stream": lat, "lat_unix_seqpacket": lat,
		"bw_vmsplice": bw, "bw_unix_dgram": bw, "bw_tcp": bw, "lat_vmsplice": lat, "lat_unix_dgram": lat, "lat_tcp": lat,
		"bw_posix_mq": bw, "bw_sysv_mq": bw, "bw_shm_sem": bw, "lat_posix_mq": lat, "lat_sysv_mq": lat, "lat_shm_sem": lat,
		"bw_pipe_framed": {64: 10}, "bw_unix_stream_framed": {64: 15},
	}, goals)
}

func TestWithoutTheCProgramOnlyGoIsMeasured(t *testing.T) {
	cfg := measure.Config{Runs: 1, Budget: 1, Sizes: []int{16}, Bin: t.TempDir()}
	rows := slices.DeleteFunc(Rows(cfg), func(r measure.Row) bool { return r.Name != "bw_pipe" })
	res, err := measure.Run(t.Context(), rows, cfg, nil)
	require.NoError(t, err)
	require.Len(t, res.Rows, 1)
	require.Empty(t, res.Rows[0].Failed)
	assert.Positive(t, res.Rows[0].Variants[0].Median)
	assert.Contains(t, res.Rows[0].Variants[1].Skipped, "make build")
}

func TestPacketOverTheKernelsLimitIsSaidToBeImpossible(t *testing.T) {
	// Privilege belongs to the thread: only this one loses it, and ends with the test.
	runtime.LockOSThread()
	require.NoError(t, ipctest.Drop(unix.CAP_NET_ADMIN))

	rows := slices.DeleteFunc(Rows(measure.Config{Sizes: []int{64 << 20}}),
		func(r measure.Row) bool { return r.Name != "bw_unix_seqpacket" })
	res, err := measure.Run(t.Context(), rows, measure.Config{Runs: 1, Budget: 1}, nil)
	require.NoError(t, err)
	require.Len(t, res.Rows, 1)
	assert.Contains(t, res.Rows[0].Skipped, "sysctl net.core.wmem_max=67108896")
}

func TestRolesRefuseTheSameCommandLinesInGoAndC(t *testing.T) {
	cfg := config(t)
	complete := []string{"--role", "recv", "--channel", "pipe", "--in", "0", "--out", "1"}
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"help has an example":       {[]string{"--help"}, 0, "example:"},
		"nothing":                   {nil, 2, "Try 'transfer --help'"},
		"an unknown flag":           {[]string{"--nonsense"}, 2, "nonsense"},
		"an unknown role":           {slices.Concat(complete, []string{"--role", "king"}), 2, "--role is"},
		"an unknown channel":        {slices.Concat(complete, []string{"--channel", "drum"}), 2, "--channel is"},
		"a size of nothing":         {slices.Concat(complete, []string{"--size", "0"}), 2, "--size"},
		"a size that is no number":  {slices.Concat(complete, []string{"--size", "x"}), 2, ""},
		"a count of nothing":        {slices.Concat(complete, []string{"--count", "0"}), 2, "--count"},
		"a negative count":          {slices.Concat(complete, []string{"--count", "-1"}), 2, ""},
		"an argument too many":      {slices.Concat(complete, []string{"more"}), 2, ""},
		"frames in packets":         {slices.Concat(complete, []string{"--batch", "4096", "--channel", "unix_seqpacket"}), 2, "--batch"},
		"frames in pages":           {slices.Concat(complete, []string{"--batch", "4096", "--channel", "vmsplice"}), 2, "--batch"},
		"frames larger than batch":  {slices.Concat(complete, []string{"--batch", "71"}), 2, "--batch"},
		"a FIFO that is not there":  {slices.Concat(complete, []string{"--channel", "fifo", "--in", "/nowhere/x"}), 1, "/nowhere/x"},
		"a descriptor that is none": {slices.Concat(complete, []string{"--in", "77"}), 1, "read: bad file descriptor"},
	} {
		for language, p := range languages {
			argv, err := p(cfg)
			require.NoError(t, err)
			cmd := exec.Command(argv[0], slices.Concat(argv[1:], test.args)...)
			text, _ := cmd.CombinedOutput()
			assert.Equal(t, test.status, cmd.ProcessState.ExitCode(), "%s in %s: %s", name, language, text)
			assert.Contains(t, lower(text), lower([]byte(test.want)), "%s in %s", name, language)
		}
	}
	assert.FileExists(t, filepath.Join(cfg.Bin, "ref", "transfer"))
}

// lower hides that C begins what strerror says with a capital letter.
func lower(text []byte) string {
	b := slices.Clone(text)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
