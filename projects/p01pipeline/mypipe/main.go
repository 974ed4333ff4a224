// The Go runtime would keep two descriptors of the CPU cgroup open, and this
// program is to have none but 0, 1 and 2.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command mypipe runs a pipeline of programs.
package main

import (
	"os"

	_ "unpipc/gobind/process/shortlived"
	"unpipc/projects/internal/cli"
	pipeline "unpipc/projects/p01pipeline"
)

func main() {
	p := cli.New("mypipe", `"cmd1" "cmd2" …`,
		`Runs the commands at once, each one's standard output connected to the next
one's standard input by a pipe. A command is split into words like a shell does
it (quotes, backslashes) and executed without a shell. The exit status is the
last command's as a shell gives it: 127 not found, 126 not executable, 128+n
killed by signal n.`,
		`  mypipe "cat /etc/passwd" "grep root" "cut -d: -f1"
  mypipe --shell 'for i in 1 2 3; do echo $i; done' 'sort -r'`)
	shell := p.Bool("shell", false, "run each command by /bin/sh -c")
	pipefail := p.Bool("pipefail", false, "exit with the status of the last command that failed, if any did")
	status := p.Bool("status", false, "print how each command ended to standard error")
	p.SetInterspersed(false)
	p.Parse(os.Args[1:])

	if p.NArg() == 0 {
		p.BadUsage("no commands given")
	}
	var stages []pipeline.Stage
	for i, text := range p.Args() {
		stage := pipeline.Shell(text)
		var err error
		if !*shell {
			stage, err = pipeline.Split(text)
		}
		if err != nil {
			p.BadUsage("command %d: %v", i+1, err)
		}
		stages = append(stages, stage)
	}

	run := pipeline.New(stages)
	err := run.Catch()
	if err == nil {
		err = run.Start()
	}
	if err == nil {
		err = run.Wait()
	}
	if sig := run.Interrupted(); sig != 0 {
		pipeline.Die(sig)
	}
	if err != nil {
		p.Exit(err)
	}
	for i := range run.Stages {
		if o := &run.Stages[i]; *status {
			p.Complain("%d: %s", i+1, o)
		} else if o.Unusual() {
			p.Complain("%s", o)
		}
	}
	os.Exit(run.Exit(*pipefail))
}
