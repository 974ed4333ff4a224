package etcd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/measure"
	"unpipc/projects/p18rpckv"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// patience bounds hanging only.
const patience = 2 * time.Minute

// variants are those of etcd, by row. What they leave running ends with the test.
func variants(t *testing.T) map[string]measure.Variant {
	found := map[string]measure.Variant{}
	rows := p18rpckv.Exercise.Rows(measure.Config{})
	t.Cleanup(func() { assert.NoError(t, rows[0].Kept.Close()) })
	for _, row := range rows {
		for _, v := range row.Variants {
			if v.Name == "etcd" {
				found[row.Name] = v
			}
		}
	}
	require.Contains(t, found, "kv_puts_16")
	return found
}

func TestAllRowsAreMeasured(t *testing.T) {
	cfg := measure.Config{Bin: t.TempDir()}.Defaults()
	all := variants(t)
	for row, n := range map[string]int64{"kv_puts_16": 40, "kv_gets_16": 40, "lat_kv_put": 4, "lat_kv_get": 4, "kv_failover": 1} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		sample, err := all[row].Run(ctx, &cfg, n)
		cancel()
		if _, missing := exec.LookPath("etcd"); missing != nil {
			reason, _ := measure.Skipped(err)
			assert.Equal(t, "etcd is not installed", reason, row)
			continue
		}
		require.NoError(t, err, row)
		assert.Equal(t, n, sample.Verified, row)
		assert.Positive(t, sample.Elapsed, row)
	}
}

func TestWhereItIsNotInstalledTheRowsAreWithoutIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	cfg := measure.Config{Bin: t.TempDir()}.Defaults()
	for row, v := range variants(t) {
		_, err := v.Run(t.Context(), &cfg, 1)
		reason, ok := measure.Skipped(err)
		assert.True(t, ok, row)
		assert.Contains(t, reason, "is not installed", row)
	}
}

// install has a shell script in the place of etcd.
func install(t *testing.T, script string) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "etcd"), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestAMemberThatEndsIsAnErrorWithTheEndOfItsLog(t *testing.T) {
	install(t, `i=0; while [ $i -lt 1000 ]; do echo many lines; i=$((i+1)); done >&2; echo no room on the disk >&2; exit 1`)
	cfg := measure.Config{Bin: t.TempDir()}.Defaults()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := variants(t)["kv_puts_16"].Run(ctx, &cfg, 1)
	require.ErrorContains(t, err, "no room on the disk")
	assert.Less(t, len(err.Error()), 5000)
	assert.NoError(t, ctx.Err())
	left, err := os.ReadDir(cfg.Bin)
	assert.NoError(t, err)
	assert.Empty(t, left)
}

func TestMembersThatDoNotAnswerAreKilledAtTheEndOfTheContext(t *testing.T) {
	install(t, "exec sleep 1000")
	cfg := measure.Config{Bin: t.TempDir()}.Defaults()
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, os.ErrDeadlineExceeded)
	defer cancel()
	_, err := variants(t)["kv_puts_16"].Run(ctx, &cfg, 1)
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

var _ = ipctest.Role("cluster", func(args []string) int {
	_, err := start(context.Background(), &measure.Config{}, args[0])
	fmt.Fprintln(os.Stderr, err)
	return 1
})

func TestMembersDoNotOutliveTheProcessThatHasStartedThem(t *testing.T) {
	install(t, `echo $$ >> "$MEMBERS"; exec sleep 1000`)
	file := filepath.Join(t.TempDir(), "members")
	t.Setenv("MEMBERS", file)
	cmd := ipctest.Command(t, "cluster", t.TempDir())
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	var members []string
	ipctest.Eventually(t, func() bool {
		text, _ := os.ReadFile(file)
		members = strings.Fields(string(text))
		return len(members) == 3
	}, "three members run")
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	for _, pid := range members {
		ipctest.Eventually(t, func() bool {
			stat, err := os.ReadFile("/proc/" + pid + "/stat")
			return err != nil || strings.Contains(string(stat), ") Z ")
		}, "a member has ended")
	}
}

// stub is a member that answers as it is told.
type stub struct {
	etcdserverpb.UnimplementedKVServer
	calls  atomic.Int64
	answer func(ctx context.Context) error
}

func (s *stub) Put(ctx context.Context, _ *etcdserverpb.PutRequest) (*etcdserverpb.PutResponse, error) {
	s.calls.Add(1)
	if err := s.answer(ctx); err != nil {
		return nil, err
	}
	return &etcdserverpb.PutResponse{Header: &etcdserverpb.ResponseHeader{Revision: 7}}, nil
}

func serve(t *testing.T, answer func(ctx context.Context) error) (*stub, string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	s := &stub{answer: answer}
	server := grpc.NewServer()
	etcdserverpb.RegisterKVServer(server, s)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; !errors.Is(err, grpc.ErrServerStopped) { // before it had begun
			assert.NoError(t, err)
		}
	})
	return s, l.Addr().String()
}

func TestASessionGoesOnAtTheNextMemberAndStaysThere(t *testing.T) {
	for what, answer := range map[string]func(ctx context.Context) error{
		"a member without a leader": func(context.Context) error { return status.Error(codes.Unavailable, "no leader") },
		"a member that hangs":       func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		bad, badAddr := serve(t, answer)
		good, goodAddr := serve(t, func(context.Context) error { return nil })
		s, err := dial([]string{badAddr, goodAddr})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		revision, err := s.put(ctx, "key", nil)
		assert.NoError(t, err, what)
		assert.EqualValues(t, 7, revision, what)
		tried := good.calls.Load()
		assert.Positive(t, tried, what)
		before := bad.calls.Load()
		for range 3 {
			assert.NoError(t, s.Put(ctx, "key", nil), what)
		}
		if good.calls.Load() == tried+3 { // on a machine that stops for a second, there are more tries
			assert.Equal(t, before, bad.calls.Load(), what)
		}
		cancel()
		assert.NoError(t, s.Close(), what)
	}
}

func TestASessionTriesUntilItsContextEnds(t *testing.T) {
	var ready atomic.Bool
	late, addr := serve(t, func(context.Context) error {
		if !ready.Load() {
			return status.Error(codes.Unavailable, "no leader")
		}
		return nil
	})
	s, err := dial([]string{addr})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, os.ErrDeadlineExceeded)
	err = s.Put(ctx, "key", nil)
	cancel()
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	ctx, cancel = context.WithTimeout(t.Context(), patience)
	defer cancel()
	ended := make(chan error, 1)
	before := late.calls.Load()
	go func() { ended <- s.Put(ctx, "key", nil) }()
	for late.calls.Load() < before+2 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	ready.Store(true)
	assert.NoError(t, <-ended)
	assert.NoError(t, s.Close())
}
