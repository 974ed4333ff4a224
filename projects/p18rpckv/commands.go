package p18rpckv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"unpipc/gobind/kvrpc"
	"unpipc/projects/p18rpckv/cache"
)

type command struct {
	Options
	key  []byte
	args []string
}

// with runs do with a client, within the time.
func (c *command) with(ctx context.Context, do func(context.Context, *Client) error) error {
	client := NewClient(c.Servers)
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	err := do(ctx, client)
	var status kvrpc.Status
	switch {
	case errors.Is(err, ErrUnknown): // it has all
	case errors.As(err, &status) && (status == kvrpc.NotFound || status == kvrpc.Mismatch):
		err = fmt.Errorf("%s: %w", c.key, err)
	}
	_ = client.Close()
	return err
}

// value is that of an argument.
func value(arg string, in io.Reader) ([]byte, error) {
	if arg != "-" {
		return []byte(arg), nil
	}
	text, err := io.ReadAll(io.LimitReader(in, kvrpc.MaxValue+1))
	if err == nil && len(text) > kvrpc.MaxValue {
		err = errTooLong
	}
	return text, err
}

func (c *command) put(ctx context.Context, in io.Reader, out io.Writer, _ func(string, ...any)) error {
	text, err := value(c.args[1], in)
	if err != nil {
		return err
	}
	return c.write(ctx, out, func(ctx context.Context, client *Client) (kvrpc.Written, error) {
		return client.Put(ctx, c.key, text)
	})
}

func (c *command) del(ctx context.Context, _ io.Reader, out io.Writer, _ func(string, ...any)) error {
	return c.write(ctx, out, func(ctx context.Context, client *Client) (kvrpc.Written, error) {
		return client.Delete(ctx, c.key)
	})
}

func (c *command) cas(ctx context.Context, in io.Reader, out io.Writer, _ func(string, ...any)) error {
	expected := kvrpc.Value{Bytes: []byte(c.args[1]), Present: true}
	if c.Absent {
		expected = kvrpc.Value{}
	}
	text, err := value(c.args[len(c.args)-1], in)
	if err != nil {
		return err
	}
	return c.write(ctx, out, func(ctx context.Context, client *Client) (kvrpc.Written, error) {
		return client.CompareAndSwap(ctx, c.key, expected, text)
	})
}

func (c *command) write(ctx context.Context, out io.Writer, do func(context.Context, *Client) (kvrpc.Written, error)) error {
	return c.with(ctx, func(ctx context.Context, client *Client) error {
		w, err := do(ctx, client)
		if err != nil {
			return err
		}
		of, nodes := "", "nodes"
		if w.Replicas < w.Members {
			of = fmt.Sprintf(" of %d", w.Members)
		} else if w.Members == 1 {
			nodes = "node"
		}
		_, err = fmt.Fprintf(out, "OK (replicated to %d%s %s)\n", w.Replicas, of, nodes)
		return err
	})
}

func (c *command) get(ctx context.Context, _ io.Reader, out io.Writer, tell func(string, ...any)) error {
	origin := "from a server, of unknown age"
	var value []byte
	found, life, ok := cache.Found{}, cache.Alive, false
	if c.Local {
		found, life, ok = Shared(c.Servers, c.key, c.MaxAge)
	}
	if ok {
		value = found.Value
		origin = fmt.Sprintf("from shared memory, at most %.3f s old, of index %d; the server is %v", found.Age.Seconds(), found.Index, life)
	} else if err := c.with(ctx, func(ctx context.Context, client *Client) error {
		f, err := client.Get(ctx, c.key, kvrpc.Read{Local: c.Local})
		value = f.Value
		return err
	}); err != nil {
		return err
	}
	if !c.Raw {
		value = append(value, '\n')
	}
	_, err := out.Write(value)
	if c.Local && c.Age {
		tell("%s", origin)
	}
	return err
}

func (c *command) list(ctx context.Context, _ io.Reader, out io.Writer, _ func(string, ...any)) error {
	return c.with(ctx, func(ctx context.Context, client *Client) error {
		var after []byte
		for {
			page, err := client.List(ctx, c.key, after, kvrpc.Read{Local: c.Local})
			if err != nil {
				return err
			}
			for _, key := range page.Keys {
				if _, err := fmt.Fprintf(out, "%s\n", key); err != nil {
					return err
				}
			}
			if !page.More {
				return nil
			}
			after = page.Keys[len(page.Keys)-1]
		}
	})
}

// longPoll is how long a server may wait for a change before it says that there is none.
const longPoll = 20 * time.Second

// watch has a time for each call, and none for all.
func (c *command) watch(ctx context.Context, _ io.Reader, out io.Writer, _ func(string, ...any)) error {
	client := NewClient(c.Servers)
	defer client.Close()
	if c.FromNow {
		first, cancel := context.WithTimeout(ctx, c.Timeout)
		state, err := client.State(first)
		cancel()
		if err != nil {
			return err
		}
		c.After = state.AppliedIndex
	}
	for seen := uint64(0); ; {
		each, cancel := context.WithTimeout(ctx, longPoll+c.Timeout)
		w, err := client.Watch(each, c.key, c.After, longPoll)
		cancel()
		if err != nil {
			return err
		}
		for _, change := range w.Changes {
			if change.Value.Present {
				_, err = fmt.Fprintf(out, "%d put %s %s\n", change.Revision, change.Key, change.Value.Bytes)
			} else {
				_, err = fmt.Fprintf(out, "%d del %s\n", change.Revision, change.Key)
			}
			if seen++; err != nil || seen == c.Count {
				return err
			}
		}
		c.After = w.Revision
	}
}

// status asks each server for itself.
func (c *command) status(ctx context.Context, _ io.Reader, out io.Writer, _ func(string, ...any)) error {
	var silent []string
	for i, addr := range c.Servers {
		one := command{Options: c.Options}
		one.Servers = []string{addr}
		err := one.with(ctx, func(ctx context.Context, client *Client) error {
			s, err := client.State(ctx)
			if err != nil {
				return err
			}
			if i > len(silent) {
				fmt.Fprintln(out)
			}
			return writeState(out, addr, &s)
		})
		if errors.Is(err, ErrNoServer) {
			silent = append(silent, strings.TrimPrefix(err.Error(), ErrNoServer.Error()+": "))
		} else if err != nil {
			return err
		}
	}
	if len(silent) > 0 {
		return fmt.Errorf("%w: %s", ErrNoServer, strings.Join(silent, "; "))
	}
	return nil
}

func writeState(out io.Writer, addr string, s *kvrpc.State) error {
	leader := s.Leader
	if leader == "" {
		leader = "none"
	}
	text := fmt.Sprintf("server: %s\nid: %s\nrole: %s\nleader: %s\nterm: %d\nlast: %d\ncommit: %d\napplied: %d\nsnapshot: %d\nkeys: %d\n",
		addr, s.ID, s.Role, leader, s.Term, s.LastIndex, s.CommitIndex, s.AppliedIndex, s.SnapIndex, s.Keys)
	for _, m := range s.Members {
		votes := "voter"
		if !m.Voter {
			votes = "learner"
		}
		text += fmt.Sprintf("member: %s %s %s match %d\n", m.ID, m.Addr, votes, m.Match)
	}
	_, err := io.WriteString(out, text)
	return err
}

func (c *command) member(ctx context.Context, _ io.Reader, out io.Writer, _ func(string, ...any)) error {
	addr := ""
	if len(c.args) > 1 {
		addr = c.args[1]
	}
	return c.with(ctx, func(ctx context.Context, client *Client) error {
		err := client.SetMember(ctx, c.args[0], addr)
		if err == nil {
			_, err = fmt.Fprintln(out, "OK")
		}
		return err
	})
}
