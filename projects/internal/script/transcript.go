package script

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Transcript is what a script did, section by section.
type Transcript struct{ Sections []Section }

// Section is what stands between two comments of a script.
type Section struct {
	Title string
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
	started := false // the environment is printed before the first comment
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "# "):
			started = true
			t.Sections = append(t.Sections, Section{Title: elapsed.ReplaceAllString(line[2:], "")})
		case !started || line == "PASS":
		case strings.HasPrefix(line, "> "):
			s := section()
			s.Steps = append(s.Steps, Step{Line: line[2:]})
		case failLine.MatchString(line):
			step().Failed = failLine.ReplaceAllString(line, "")
		default:
			step().Output += line + "\n"
		}
	}
	return t
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

// assertion is a line that only looks at what the line before it printed.
var assertion = regexp.MustCompile(`^(! )?(stdout|stderr|cmp|cmpenv|grep|exists|waitfor|until|stdin|env|kill|signal|cd|cp|mkdir|rm)\b`)

// Session writes the transcript as a terminal session: commands behind a $, what
// they printed below them. Lines that check are shown only where they failed, and
// sections of nothing else not at all.
func (t *Transcript) Session(w io.Writer) {
	between := ""
	for _, s := range t.Sections {
		var text strings.Builder
		for _, step := range s.Steps {
			if !assertion.MatchString(step.Line) {
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
)

// prompt shows a script line as one would type it.
func prompt(line string) string {
	if strings.HasPrefix(line, "wait") {
		return "" // what ended is shown, not the waiting
	}
	line = execWord.ReplaceAllString(line, "")
	line = background.ReplaceAllString(line, " &")
	if m := shellWord.FindStringSubmatch(line); m != nil {
		line = strings.ReplaceAll(m[1], "''", "'") + m[2]
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
