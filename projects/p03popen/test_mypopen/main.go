// Command test_mypopen tries popen and pclose on a table of cases: its own, or
// libc's.
package main

import (
	"fmt"
	"os"
	"slices"

	"unpipc/projects/internal/cli"
	p03popen "unpipc/projects/p03popen"
)

func main() {
	p03popen.Role()
	p := cli.New("test_mypopen", "",
		"Tries mypopen and mypclose on a table of cases and says for each whether it passed.\n"+
			"Exit status: 0 all passed, 1 one failed, 2 wrong usage.",
		"  test_mypopen\n  test_mypopen --impl libc\n  test_mypopen --only ls,cat,exit-42")
	name := p.String("impl", "mine", "what to try: mine, or libc for popen and pclose")
	only := p.StringSlice("only", nil, "try these cases only; may be repeated")
	list := p.Bool("list", false, "list the cases instead")
	p.Parse(os.Args[1:])

	if p.NArg() > 0 {
		p.BadUsage("unexpected argument: %s", p.Arg(0))
	}
	impls := map[string]p03popen.Implementation{"mine": p03popen.Mine, "libc": p03popen.Libc}
	impl, known := impls[*name]
	if !known {
		p.BadUsage("unknown implementation: %s", *name)
	}
	if p.Changed("only") && len(*only) == 0 {
		*only = []string{""}
	}
	for _, want := range *only {
		if !slices.ContainsFunc(p03popen.Cases, func(c p03popen.Case) bool { return c.Name == want }) {
			p.BadUsage("unknown case: %s", want)
		}
	}
	_ = os.Setenv("LC_ALL", "C") // commands then print the same everywhere

	tried, passed := 0, 0
	for i := range p03popen.Cases {
		c := &p03popen.Cases[i]
		switch {
		case len(*only) > 0 && !slices.Contains(*only, c.Name):
		case *list:
			fmt.Printf("%-16s %s\n", c.Name, c.Shows)
		default:
			tried++
			if p03popen.Run(impl, c, os.Stdout) {
				passed++
			}
			fmt.Println()
		}
	}
	if *list {
		return
	}
	if _, err := fmt.Printf("%d of %d cases passed\n", passed, tried); err != nil {
		p.Exit(err)
	}
	if passed < tried {
		os.Exit(cli.Failed)
	}
}
