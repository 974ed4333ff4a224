package p17rpcauth

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Policy says who may call what. Without any rule everybody may call everything.
//
//	add, subtract: uid 0, gid 100
//	multiply: name unix.1000@example.org, principal alice@EXAMPLE.ORG
//	all: uid 1000
//	evaluate: anybody
type Policy struct{ allowed map[string][]identity }

// identity is what a caller is or claims to be: uid, gid, name, principal, anybody.
type identity struct{ kind, value string }

var anybody = identity{kind: "anybody"}

// every stands for all procedures in a rule.
const every = "all"

var procedures = []string{"null", "add", "subtract", "multiply", "divide", "remainder", "evaluate"}

func procedure(number uint32) string {
	if int64(number) < int64(len(procedures)) {
		return procedures[number]
	}
	return fmt.Sprintf("procedure %d", number)
}

// Add adds a rule.
func (p *Policy) Add(rule string) error {
	left, right, ok := strings.Cut(rule, ":")
	if !ok {
		return fmt.Errorf("%q: no colon between procedures and callers", rule)
	}
	var callers []identity
	for text := range strings.SplitSeq(right, ",") {
		who, err := parseIdentity(text)
		if err != nil {
			return fmt.Errorf("%q: %w", rule, err)
		}
		callers = append(callers, who)
	}
	for name := range strings.SplitSeq(left, ",") {
		name = strings.TrimSpace(name)
		if name != every && !slices.Contains(procedures[1:], name) {
			return fmt.Errorf("%q: there is no procedure %q", rule, name)
		}
		if p.allowed == nil {
			p.allowed = map[string][]identity{}
		}
		p.allowed[name] = append(p.allowed[name], callers...)
	}
	return nil
}

func parseIdentity(text string) (identity, error) {
	words := strings.Fields(text)
	switch {
	case len(words) == 1 && words[0] == anybody.kind:
		return anybody, nil
	case len(words) != 2 || !slices.Contains([]string{"uid", "gid", "name", "principal"}, words[0]):
		return identity{}, fmt.Errorf("%q is not uid N, gid N, name NETNAME, principal NAME or anybody", strings.TrimSpace(text))
	case words[0] == "uid" || words[0] == "gid":
		n, err := strconv.ParseUint(words[1], 10, 32)
		if err != nil {
			return identity{}, fmt.Errorf("%s %s: no number of 32 bits", words[0], words[1])
		}
		words[1] = strconv.FormatUint(n, 10)
	}
	return identity{words[0], words[1]}, nil
}

// AddFile adds the rules of a file, one a line; lines that begin with # do not count.
// Errors name file and line.
func (p *Policy) AddFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for number := 1; lines.Scan(); number++ {
		rule := strings.TrimSpace(lines.Text())
		if rule == "" || rule[0] == '#' {
			continue
		}
		if err := p.Add(rule); err != nil {
			return fmt.Errorf("%s:%d: %w", path, number, err)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s: a line is too long", path)
	} else if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// allows says whether one who is all of these may call the procedure of this name.
func (p *Policy) allows(name string, who []identity) bool {
	if p.allowed == nil {
		return true
	}
	for _, rule := range [][]identity{p.allowed[name], p.allowed[every]} {
		for _, caller := range rule {
			if caller == anybody || slices.Contains(who, caller) {
				return true
			}
		}
	}
	return false
}
