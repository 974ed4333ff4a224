package p01pipeline

import (
	"errors"
	"fmt"

	"github.com/kballard/go-shellquote"
)

// Stage is one program of a pipeline.
type Stage struct {
	Text string   // as the user wrote it, for messages
	Args []string // argument vector
}

// Split makes a stage of a command line: words as POSIX sh has them (blanks,
// single and double quotes, backslashes), nothing expanded, no operators.
func Split(text string) (Stage, error) {
	args, err := shellquote.Split(text)
	if err != nil {
		return Stage{}, fmt.Errorf("%s: %w", text, err)
	}
	if len(args) == 0 || args[0] == "" {
		return Stage{}, errors.New("an empty command")
	}
	return Stage{text, args}, nil
}

// Shell makes a stage that /bin/sh -c interprets.
func Shell(text string) Stage { return Stage{text, []string{"/bin/sh", "-c", text}} }
