package p18rpckv

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/kvrpc"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/ports"
)

// ours are three kv_servers.
type ours struct {
	cfg     *measure.Config
	dir     string
	addrs   []string
	release []func()
	servers []*measure.Child // nil: killed
}

func startOurs(ctx context.Context, cfg *measure.Config, dir string) (cluster, error) {
	o := &ours{cfg: cfg, dir: dir, servers: make([]*measure.Child, 3)}
	for range o.servers {
		port, release := ports.Reserve()
		o.release = append(o.release, release)
		o.addrs = append(o.addrs, net.JoinHostPort("localhost", strconv.Itoa(port)))
	}
	return o, errors.Join(o.restart(ctx), ctx.Err())
}

// restart starts those that do not run, and waits until a put is at all three.
func (o *ours) restart(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, o.stop())
		}
	}()
	for i, addr := range o.addrs {
		if o.servers[i] != nil {
			continue
		}
		_, port, _ := net.SplitHostPort(addr)
		var peers []string
		for _, peer := range o.addrs {
			if peer != addr {
				peers = append(peers, peer)
			}
		}
		o.servers[i], err = measure.Start(ctx, o.cfg, i, measure.Command{Args: []string{
			filepath.Join(o.cfg.Bin, "p18", "kv_server"), "--id", strconv.Itoa(i + 1), "--port", port,
			"--peers", strings.Join(peers, ","), "--data", filepath.Join(o.dir, port), "--cache", "0",
		}})
		if err != nil {
			return err
		}
	}
	c := NewClient(o.addrs)
	defer c.Close()
	for ctx.Err() == nil {
		if w, err := c.Put(ctx, []byte("ready"), nil); err == nil && w.Replicas == w.Members {
			return nil
		}
		time.Sleep(pause)
	}
	return context.Cause(ctx)
}

func (o *ours) killLeader(ctx context.Context) error {
	for i, addr := range o.addrs {
		c := NewClient([]string{addr})
		state, err := c.State(ctx)
		_ = c.Close()
		if err == nil && state.Role == "leader" {
			err = o.servers[i].Signal(unix.SIGKILL)
			_, _ = o.servers[i].Wait() // it was killed
			o.servers[i] = nil
			return err
		}
	}
	return errors.New("nobody leads")
}

func (o *ours) stop() error {
	var all error
	for i, s := range o.servers {
		if s != nil {
			_ = s.Signal(unix.SIGTERM)
			_, err := s.Wait()
			all = errors.Join(all, err)
			o.servers[i] = nil
		}
	}
	for _, release := range o.release {
		release()
	}
	return all
}

func (o *ours) connect() (session, error) { return ourSession{NewClient(o.addrs)}, nil }

type ourSession struct{ *Client }

func (s ourSession) put(ctx context.Context, key string, value []byte) error {
	_, err := s.Put(ctx, []byte(key), value)
	return err
}

func (s ourSession) get(ctx context.Context, key string) ([]byte, error) {
	f, err := s.Get(ctx, []byte(key), kvrpc.Read{})
	return f.Value, err
}
