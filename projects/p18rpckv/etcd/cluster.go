// Package etcd has the benchmark rows of exercise 18 compare with etcd, where it is
// installed. It is not for the servers and clients of the exercise, which do without gRPC.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"golang.org/x/sys/unix"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/ports"
	"unpipc/projects/p18rpckv"
)

func init() { p18rpckv.CompareWith("etcd", start) }

// cluster is three members of etcd. What decides the figures is as with ours: a majority has
// a put on disk before it is answered (both flush, etcd by default), a get is proved current
// by a majority, heartbeats come every 0.1 s, and who hears none for 1 to 2 s asks the
// others, before an election, whether they would elect it.
type cluster struct {
	cfg     *measure.Config
	dir     string
	flags   []string // etcd, and what all members have in common
	peers   []string // addresses between members
	clients []string // addresses for clients
	release []func() // the addresses
	members []*member
	control *session
}

// member is a running etcd.
type member struct {
	child *measure.Child
	// life ends with it, and has what it said as the cause.
	life context.Context
}

// election is the shortest time from the last sign of a leader to the next leader.
const election = time.Second

func start(ctx context.Context, cfg *measure.Config, dir string) (p18rpckv.Cluster, error) {
	c := &cluster{cfg: cfg, dir: dir, members: make([]*member, 3)}
	path, err := exec.LookPath("etcd")
	if err != nil {
		return nil, measure.Skip("etcd is not installed")
	}
	var names []string
	for i := range c.members {
		c.peers, c.clients = append(c.peers, c.address()), append(c.clients, c.address())
		names = append(names, fmt.Sprintf("%d=http://%s", i+1, c.peers[i]))
	}
	c.flags = append(c.flags, path,
		"--initial-cluster", strings.Join(names, ","), "--initial-cluster-state", "new", "--initial-cluster-token", filepath.Base(dir),
		"--heartbeat-interval", strconv.FormatInt((election/10).Milliseconds(), 10),
		"--election-timeout", strconv.FormatInt(election.Milliseconds(), 10), "--pre-vote",
		"--logger", "zap", "--log-outputs", "stderr", "--log-level", "warn")
	if c.control, err = dial(c.clients); err == nil {
		err = c.Restart(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *cluster) address() string {
	port, release := ports.Reserve()
	c.release = append(c.release, release)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// run starts a member.
func (c *cluster) run(ctx context.Context, i int) error {
	name := strconv.Itoa(i + 1)
	peer, client := "http://"+c.peers[i], "http://"+c.clients[i]
	cmd := measure.Command{
		Args: append(slices.Clone(c.flags), "--name", name, "--data-dir", filepath.Join(c.dir, name),
			"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
			"--listen-client-urls", client, "--advertise-client-urls", client),
		// Variables of etcd's are flags, and one has it run where few have tried it.
		Env: append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ETCD_") }),
			"ETCD_UNSUPPORTED_ARCH="+runtime.GOARCH),
	}
	child, ended, err := p18rpckv.StartMember(ctx, c.cfg, i, cmd)
	if err != nil {
		return err
	}
	life, end := context.WithCancelCause(context.Background())
	go func() { end(lastWords(<-ended)) }()
	c.members[i] = &member{child, life}
	return nil
}

// lastWords is an error of a member without all but the end of its log.
func lastWords(err error) error {
	const most = 600
	if err == nil {
		return errors.New("etcd has ended")
	}
	if text := err.Error(); len(text) > most {
		return fmt.Errorf("etcd: …%s", text[len(text)-most:])
	}
	return err
}

// Restart starts those that do not run, and waits until a put is at all three.
func (c *cluster) Restart(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(append([]error{err}, c.kill()...)...)
		}
	}()
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for i, m := range c.members {
		if m == nil {
			if err := c.run(ctx, i); err != nil {
				return err
			}
			m = c.members[i]
		}
		defer context.AfterFunc(m.life, func() { cancel(context.Cause(m.life)) })()
	}
	revision, err := c.control.put(running, "ready", nil)
	if err != nil {
		return err
	}
	for i := range c.members {
		for {
			s, err := c.status(running, i)
			if err == nil && s.Leader != 0 && s.Header.Revision >= revision {
				break
			}
			if running.Err() != nil {
				return fmt.Errorf("member %d does not catch up: %w", i+1, errors.Join(context.Cause(running), err))
			}
			time.Sleep(pause)
		}
	}
	return nil
}

func (c *cluster) status(ctx context.Context, i int) (*etcdserverpb.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, oneTry)
	defer cancel()
	return etcdserverpb.NewMaintenanceClient(c.control.conns[i]).Status(ctx, &etcdserverpb.StatusRequest{})
}

// KillLeader believes the member that has heard of the latest election.
func (c *cluster) KillLeader(ctx context.Context) error {
	for ; ctx.Err() == nil; time.Sleep(pause) {
		var leader, term uint64
		who := map[uint64]int{}
		for i, m := range c.members {
			if m == nil {
				continue
			}
			if s, err := c.status(ctx, i); err == nil {
				who[s.Header.MemberId] = i
				if s.RaftTerm >= term && s.Leader != 0 {
					leader, term = s.Leader, s.RaftTerm
				}
			}
		}
		if i, ok := who[leader]; ok {
			err := c.members[i].child.Signal(unix.SIGKILL)
			<-c.members[i].life.Done()
			c.members[i] = nil
			return err
		}
	}
	return fmt.Errorf("nobody leads: %w", context.Cause(ctx))
}

// Stop kills all: what they have is not needed any more.
func (c *cluster) Stop() error {
	var all error
	for _, m := range c.members {
		if m != nil && m.life.Err() != nil {
			all = errors.Join(all, context.Cause(m.life)) // a fault, whatever the clients saw
		}
	}
	c.kill()
	for _, release := range c.release {
		release()
	}
	return errors.Join(all, c.control.Close())
}

// kill kills those that run; said is what they have said.
func (c *cluster) kill() (said []error) {
	for i, m := range c.members {
		if m != nil {
			_ = m.child.Signal(unix.SIGKILL)
			<-m.life.Done()
			said = append(said, context.Cause(m.life))
			c.members[i] = nil
		}
	}
	return said
}

func (c *cluster) Connect() (p18rpckv.Session, error) {
	s, err := dial(c.clients)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}
