package script

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Transcript is what a script did, section by section.
type Transcript struct{ Sections []Section }

// Section is what stands between two comments of a script.
type Section struct {
	Title string // "" of what comes before the first one: what the script prepares
	Steps []Step
}

// Step is one line of a script.
type Step struct {
	Line   string // as written
	Output string // what the program printed, or what was said about it
	Failed string // why it failed, "" if it did not
}

var (
	elapsed  = regexp.MustCompile(` \(\d+\.\d+s\)$`)
	failLine = regexp.MustCompile(`^FAIL: [^:]*:\d+: `)
	progress = regexp.MustCompile(`^\[(background|stdout|stderr|exit status).*`)
)

// parse reads testscript's verbose log.
func parse(log string) *Transcript {
	t := &Transcript{}
	section := func() *Section {
		if len(t.Sections) == 0 {
			t.Sections = append(t.Sections, Section{})
		}
		return &t.Sections[len(t.Sections)-1]
	}
	step := func() *Step {
		s := section()
		if len(s.Steps) == 0 {
			s.Steps = append(s.Steps, Step{})
		}
		return &s.Steps[len(s.Steps)-1]
	}
	started := false // the environment is printed first
	var given variables
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "# "):
			started = true
			t.Sections = append(t.Sections, Section{Title: elapsed.ReplaceAllString(line[2:], "")})
		case strings.HasPrefix(line, "> "):
			started = true
			s := section()
			line = given.expand(line[2:])
			if assignments, ok := strings.CutPrefix(line, "env "); ok {
				given.add(assignments)
			}
			s.Steps = append(s.Steps, Step{Line: line})
		case !started:
			if strings.HasPrefix(line, "UNIQUE=") || strings.HasPrefix(line, "SYSV_KEY=") {
				given.add(line)
			}
		case line == "PASS":
		case failLine.MatchString(line):
			step().Failed = failLine.ReplaceAllString(line, "")
		default:
			if strings.HasPrefix(step().Line, "ports ") {
				given.add(line)
			}
			step().Output += line + "\n"
		}
	}
	return t
}

// variables are those that a script or its runner has set, which a reader does not know.
type variables map[string]string

var variable = regexp.MustCompile(`\$\w+`)

// expand puts their values into a line, also within quotes: there the shell would do it.
func (v variables) expand(line string) string {
	return variable.ReplaceAllStringFunc(line, func(name string) string {
		if value, ok := v[name[1:]]; ok {
			return value
		}
		return name
	})
}

// add takes a NAME=VALUE.
func (v *variables) add(assignment string) {
	name, value, found := strings.Cut(assignment, "=")
	if !found || name == "PATH" {
		return
	}
	if *v == nil {
		*v = variables{}
	}
	(*v)[name] = value
}

// Replace puts other words into everything that was printed.
func (t *Transcript) Replace(words, others string) {
	for _, s := range t.Sections {
		for i := range s.Steps {
			s.Steps[i].Output = strings.ReplaceAll(s.Steps[i].Output, words, others)
		}
	}
}

// OK says that no step failed and there was at least one.
func (t *Transcript) OK() bool {
	steps := 0
	for _, s := range t.Sections {
		if !s.OK() {
			return false
		}
		steps += len(s.Steps)
	}
	return steps > 0
}

// OK says that no step of the section failed.
func (s *Section) OK() bool {
	for _, step := range s.Steps {
		if step.Failed != "" {
			return false
		}
	}
	return true
}

// assertion is a line that only looks at what others did or printed.
var assertion = regexp.MustCompile(`^(! )?(stdout|stderr|cmp|cmpenv|grep|exists|waitfor|until|stdin|env|kill|signal|ports|cd|cp|mkdir|rm|exec test)\b`)

// Checks says whether the step only looks at what others did, or waits for it: what it
// prints depends on the moment.
func (s *Step) Checks() bool { return assertion.MatchString(s.Line) }

// Session writes the transcript as a terminal session: commands behind a $, what
// they printed below them. Lines that check are shown only where they failed, and
// sections of nothing else not at all.
func (t *Transcript) Session(w io.Writer) {
	between := ""
	programs := map[string]string{} // by the names of background commands
	for _, s := range t.Sections {
		if s.Title == "" && s.OK() {
			continue
		}
		var text strings.Builder
		for _, step := range s.Steps {
			if m := job.FindStringSubmatch(step.Line); m != nil {
				programs[m[2]] = m[1]
				if strings.Contains(step.Line, "exec sh ") { // as "signal" knows it
					programs["sh"] = m[1]
				}
			}
			if m := killLine.FindStringSubmatch(step.Line); m != nil {
				fmt.Fprintf(&text, "$ kill -%s %%%s\n", m[1], cmp.Or(programs[m[2]], m[2]))
			} else if !step.Checks() {
				fmt.Fprintf(&text, "%s%s", prompt(step.Line), Printed(step.Output))
			}
			if step.Failed != "" {
				fmt.Fprintf(&text, "FAILED: %s\n        %s\n", step.Line, step.Failed)
			}
		}
		if text.Len() > 0 {
			fmt.Fprintf(w, "%s# %s\n%s", between, s.Title, text.String())
			between = "\n"
		}
	}
}

var (
	execWord   = regexp.MustCompile(`^(! |\? )?exec `)
	shellWord  = regexp.MustCompile(`^sh -c '(.*)'( &\w*&?)?$`)
	background = regexp.MustCompile(` &\w+&$`)
	// A background command, its program and its name.
	job = regexp.MustCompile(`.*\bexec ([\w.-]+).* &(\w+)&$`)
	// A shell calls a background command by how it begins: %server.
	killLine = regexp.MustCompile(`^(?:kill -|signal )(\w+) (\w+)`)
)

// prompt shows a script line as one would type it.
func prompt(line string) string {
	if strings.HasPrefix(line, "wait") {
		return "" // what ended is shown, not the waiting
	}
	line = execWord.ReplaceAllString(line, "")
	line = background.ReplaceAllString(line, " &")
	if m := shellWord.FindStringSubmatch(line); m != nil {
		line = strings.TrimPrefix(strings.ReplaceAll(m[1], "''", "'"), "exec ") + m[2]
	}
	return "$ " + line + "\n"
}

// Printed is what a program printed, without testscript's markers.
func Printed(output string) string {
	var b strings.Builder
	for line := range strings.Lines(output) {
		if !progress.MatchString(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}
