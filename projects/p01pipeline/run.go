package p01pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
	"unpipc/gobind/process"
)

// Pipeline is a pipeline under way. The process that runs it must have no other
// children: it waits for whichever ends first, so that none stays a zombie.
type Pipeline struct {
	Stages []Outcome

	mu      sync.Mutex
	running map[int]int // pid → index in Stages; a pid in here has not been waited for
	catches bool
}

// Outcome is how one stage ended.
type Outcome struct {
	Stage
	Status process.Status // of a stage that was started
	Err    error          // of one that was not

	process *process.Process
}

// New prepares a pipeline of at least one stage; nothing runs yet.
func New(stages []Stage) *Pipeline {
	p := &Pipeline{Stages: make([]Outcome, len(stages)), running: map[int]int{}}
	for i, s := range stages {
		p.Stages[i].Stage = s
	}
	return p
}

// Start starts all stages; the first reads this process's standard input, the
// last writes its standard output. A stage whose program cannot be executed is
// noted in its Outcome, and the others run, as in a shell. When the system
// refuses a pipe or a process, those already running are killed and waited for,
// and the error names the command that could not be started.
func (p *Pipeline) Start() error {
	var input *pipe.Reader // nil: standard input
	for i := range p.Stages {
		var next *pipe.Reader
		var output *pipe.Writer // nil: standard output
		var err error
		in, out := 0, 1
		if input != nil {
			in = input.Fd()
		}
		if i < len(p.Stages)-1 {
			if next, output, err = pipe.New(0); err == nil {
				out = output.Fd()
			}
		}
		if err == nil {
			err = p.start(i, in, out)
		}
		// Handed on or not, these two are the programs' now.
		if input != nil {
			input.Close()
		}
		if output != nil {
			output.Close()
		}
		if err != nil {
			if next != nil {
				next.Close()
			}
			p.abandon()
			return fmt.Errorf("%s: %w", p.Stages[i].Text, err)
		}
		input = next
	}
	if p.catches {
		go p.forward()
	}
	return nil
}

// start starts stage i; its error is one that ends the whole pipeline.
func (p *Pipeline) start(i, input, output int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Interrupted() != 0 {
		return errors.New("not started: interrupted")
	}
	proc, err := process.Start(&process.Cmd{
		Args:  p.Stages[i].Args,
		Files: []int{input, output, 2},
	})
	var exec *fs.PathError
	if errors.As(err, &exec) {
		p.Stages[i].Err = err
		return nil
	}
	if err != nil {
		return err
	}
	p.Stages[i].process = proc
	p.running[proc.Pid()] = i
	return nil
}

// abandon ends a pipeline that could not be completed.
func (p *Pipeline) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pid, i := range p.running {
		// They have done nothing anyone asked for: half a pipeline is none.
		_ = p.Stages[i].process.Signal(unix.SIGKILL)
		_, _ = p.Stages[i].process.Wait()
		delete(p.running, pid)
	}
}

// Wait waits until every stage has ended, in whichever order they do.
func (p *Pipeline) Wait() error {
	for len(p.running) > 0 { // only this goroutine removes from it
		pid, err := process.Ended(context.Background())
		if err == nil {
			err = p.reap(pid)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reap takes an ended child out of the process table. signal holds the same lock,
// so it never meets a pid that may name another process by now.
func (p *Pipeline) reap(pid int) (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ours := p.running[pid]
	if !ours {
		// A child of the shell that this program was exec'ed from.
		_, err = process.Adopt(pid).Wait()
		return err
	}
	delete(p.running, pid)
	p.Stages[i].Status, err = p.Stages[i].process.Wait()
	return err
}
