package transfer

import (
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/measure/measuretest"
)

func TestAllRowsAreMeasuredInGoAndC(t *testing.T) {
	cfg := measuretest.Twin(t, "transfer")
	cfg.Sizes = []int{1, 64, 4096}
	rows := Rows(*cfg)
	require.Len(t, rows, 2*len(Channels)*3+2)
	for _, r := range measuretest.Run(t, rows, cfg) {
		assert.Equal(t, "Go", r.Variants[0].Name)
		assert.Equal(t, "C", r.Variants[len(r.Variants)-1].Name)
		for _, v := range r.Variants {
			assert.Equal(t, r.LowerIsBetter, v.Times != nil, "%s %d in %s", r.Name, r.Size, v.Name)
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
	other := map[int]float64{64: 0.90}
	lat := map[int]float64{}
	for _, size := range []int{1, 64} {
		lat[size] = 1.15
	}
	assert.Equal(t, map[string]map[int]float64{
		"bw_pipe": bw, "bw_fifo": bw, "bw_unix_stream": bw, "bw_unix_seqpacket": bw,
		"lat_pipe": lat, "lat_fifo": lat, "lat_unix_stream": lat, "lat_unix_seqpacket": lat,
		"bw_vmsplice": other, "bw_unix_dgram": other, "bw_tcp": other, "lat_vmsplice": lat, "lat_unix_dgram": lat, "lat_tcp": lat,
		"bw_posix_mq": other, "bw_sysv_mq": other, "bw_shm_sem": other, "lat_posix_mq": lat, "lat_sysv_mq": lat, "lat_shm_sem": lat,
		"bw_pipe_framed": {64: 10}, "bw_unix_stream_framed": {64: 15},
	}, goals)
}

func TestCIsAlsoMeasuredWithASecondThread(t *testing.T) {
	cfg := measuretest.Twin(t, "transfer")
	rows := slices.DeleteFunc(Rows(measure.Config{}), func(r measure.Row) bool { return len(r.Variants) < 3 || r.Size != threadedSize })
	require.Len(t, rows, len(threaded))
	for _, r := range measuretest.Run(t, rows, cfg) {
		assert.Equal(t, "C, 2 threads", r.Variants[1].Name)
		assert.Equal(t, "C", r.Variants[2].Name)
	}
}

func TestWithoutTheCProgramOnlyGoIsMeasured(t *testing.T) {
	measuretest.WithoutC(t, slices.DeleteFunc(Rows(measure.Config{Sizes: []int{16}}),
		func(r measure.Row) bool { return r.Name != "bw_pipe" }))
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
	cfg := measuretest.Twin(t, "transfer")
	const complete = "--role recv --channel pipe --in 0 --out 1 "
	measuretest.CommandLines{
		"help has an example":       {"--help", 0, "example:"},
		"nothing":                   {"", 2, "Try 'transfer --help'"},
		"an unknown flag":           {"--nonsense", 2, "nonsense"},
		"an unknown role":           {complete + "--role king", 2, "--role is"},
		"an unknown channel":        {complete + "--channel drum", 2, "--channel is"},
		"a size of nothing":         {complete + "--size 0", 2, "--size"},
		"a size that is no number":  {complete + "--size x", 2, ""},
		"a count of nothing":        {complete + "--count 0", 2, "--count"},
		"a negative count":          {complete + "--count -1", 2, ""},
		"no thread at all":          {complete + "--threads 0", 2, "--threads"},
		"more threads than 64":      {complete + "--threads 65", 2, "--threads"},
		"an argument too many":      {complete + "more", 2, ""},
		"frames in packets":         {complete + "--batch 4096 --channel unix_seqpacket", 2, "--batch"},
		"frames in pages":           {complete + "--batch 4096 --channel vmsplice", 2, "--batch"},
		"frames larger than batch":  {complete + "--batch 71", 2, "--batch"},
		"a FIFO that is not there":  {complete + "--channel fifo --in /nowhere/x", 1, "/nowhere/x"},
		"a descriptor that is none": {complete + "--in 77", 1, "read: (?i)bad file descriptor"},
		"another one's child":       {complete + "--parent 4194304", 1, "^$"},
	}.Answered(t, cfg, languages)
	assert.FileExists(t, filepath.Join(cfg.Bin, "ref", "transfer"))
}
