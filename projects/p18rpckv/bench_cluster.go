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
	servers []*ourServer // nil: killed
}

type ourServer struct {
	*measure.Child
	ended <-chan error
}

func startOurs(ctx context.Context, cfg *measure.Config, dir string) (Cluster, error) {
	o := &ours{cfg: cfg, dir: dir, servers: make([]*ourServer, 3)}
	for range o.servers {
		port, release := ports.Reserve()
		o.release = append(o.release, release)
		o.addrs = append(o.addrs, net.JoinHostPort("localhost", strconv.Itoa(port)))
	}
	return o, errors.Join(o.Restart(ctx), ctx.Err())
}

// Restart starts those that do not run, and waits until a put is at all three.
func (o *ours) Restart(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Stop())
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
		child, ended, err := StartMember(ctx, o.cfg, i, measure.Command{Args: []string{
			filepath.Join(o.cfg.Bin, "p18", "kv_server"), "--id", strconv.Itoa(i + 1), "--port", port,
			"--peers", strings.Join(peers, ","), "--data", filepath.Join(o.dir, port), "--cache", "0",
		}})
		if err != nil {
			return err
		}
		o.servers[i] = &ourServer{child, ended}
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

func (o *ours) KillLeader(ctx context.Context) error {
	for i, addr := range o.addrs {
		c := NewClient([]string{addr})
		state, err := c.State(ctx)
		_ = c.Close()
		if err == nil && state.Role == "leader" {
			err = o.servers[i].Signal(unix.SIGKILL)
			<-o.servers[i].ended // it was killed
			o.servers[i] = nil
			return err
		}
	}
	return errors.New("nobody leads")
}

func (o *ours) Stop() error {
	var all error
	for i, s := range o.servers {
		if s != nil {
			_ = s.Signal(unix.SIGTERM)
			all = errors.Join(all, <-s.ended)
			o.servers[i] = nil
		}
	}
	for _, release := range o.release {
		release()
	}
	return all
}

func (o *ours) Connect() (Session, error) { return ourSession{NewClient(o.addrs)}, nil }

type ourSession struct{ *Client }

func (s ourSession) Put(ctx context.Context, key string, value []byte) error {
	_, err := s.Client.Put(ctx, []byte(key), value)
	return err
}

func (s ourSession) Get(ctx context.Context, key string) ([]byte, error) {
	f, err := s.Client.Get(ctx, []byte(key), kvrpc.Read{})
	return f.Value, err
}
