// Command sem changes a set of three System V semaphores by commands that are typed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"unpipc/gobind/sysvsem"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
	"unpipc/projects/internal/marks"
)

func main() {
	p := cli.New("sem", "",
		"Makes three System V semaphores of the values 1 2 3, or finds them, and does what it\n"+
			"reads, one command a line:\n\n"+
			"  2 -        take 1 from semaphore 2; sleeps while it is 0\n"+
			"  2 +        add 1 to semaphore 2\n"+
			"  begin      from here on only collect\n"+
			"  commit     do all that was collected, at once\n"+
			"  rollback   forget it\n"+
			"  show       print the values\n"+
			"  delete     remove the semaphores, and end\n"+
			"  quit       end; the kernel takes back what this process has done",
		"  printf '2 -\\nshow\\nquit\\n' | sem\n  echo delete | sem")
	key := lecture.KeyFlag(p, 8)
	p.ParseFlags(os.Args[1:])
	p.Exit(run(cli.UntilSignal(), key))
}

func run(ctx context.Context, keyOf func() (sysvsem.Key, error)) error {
	key, err := keyOf()
	if err != nil {
		return err
	}
	set, made, err := sysvsem.Establish(ctx, key, 0o600, 1, 2, 3)
	if err != nil {
		return err
	}
	greeting := "Sem array already exists\nConnected to %d\n"
	if made {
		greeting = "Created sems with id %d\nSem array is initialized\n"
	}
	mark, err := marks.Share("lecture-8", marks.Semaphores, key.String(), set.ID(), made)
	if err != nil {
		return err
	}
	if err := lecture.Say(greeting, set.ID()); err != nil {
		return err
	}
	s := session{set: set, mark: mark}
	for in := lecture.NewInput(os.Stdin); !s.over; {
		line, err := in.Line(ctx)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.do(ctx, line); err != nil {
			return err
		}
	}
	return nil
}

type session struct {
	set    *sysvsem.Set
	mark   *marks.Mark
	inside bool // a transaction
	ops    []sysvsem.Op
	over   bool
}

func (s *session) do(ctx context.Context, line string) error {
	switch line {
	case "begin":
		s.inside = true
	case "commit":
		err := s.set.DoContext(ctx, s.ops...)
		if err == nil {
			s.inside, s.ops = false, nil
		}
		return told(ctx, err)
	case "rollback":
		s.inside, s.ops = false, nil
	case "show":
		v, err := s.set.Values()
		if err != nil || len(v) < 3 {
			return told(ctx, err)
		}
		return lecture.Say("Values are %d %d %d\n", v[0], v[1], v[2])
	case "delete":
		s.over = true
		if err := s.set.Remove(); err != nil {
			return told(ctx, err)
		}
		return s.mark.Remove()
	case "quit":
		s.over = true
	default:
		op, ok := parse(line)
		if !ok {
			return lecture.Say("Unknown operation\n")
		}
		if s.inside {
			s.ops = append(s.ops, op)
			return nil
		}
		return told(ctx, s.set.DoContext(ctx, op))
	}
	return nil
}

// parse reads "2 -". Whether there is a semaphore 2 is the kernel's to say.
func parse(line string) (op sysvsem.Op, ok bool) {
	var number uint16
	var sign, rest string
	if n, _ := fmt.Sscan(line, &number, &sign, &rest); n != 2 || number == 0 || sign != "+" && sign != "-" {
		return op, false
	}
	op = sysvsem.Op{Sem: number - 1, Add: 1, Flags: sysvsem.Undo}
	if sign == "-" {
		op.Add = -1
	}
	return op, true
}

// told prints an error of a call, after which the session goes on; the end of ctx ends it.
func told(ctx context.Context, err error) error {
	if err == nil {
		return nil
	} else if errors.Is(err, context.Cause(ctx)) {
		return err
	}
	return lecture.Say("error = %s\n", lecture.Strerror(err))
}
