package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/mechanism"
)

func TestChooseByFlags(t *testing.T) {
	status, stdout, stderr := suite(t, "choose", "--for", "transfer", "--between", "unrelated", "--priority", "yes", "--results", aRun)
	assert.Zero(t, status, stderr)
	assert.Contains(t, stdout, "use         POSIX message queue\n")
	assert.Contains(t, stdout, "measured    bw_posix_mq, 64 B: ")
	assert.Contains(t, stdout, "runner-up   System V message queue: ")
	assert.Contains(t, stdout, "gobind/posixmq; make project-4")
}

func TestChooseFailsWhereNothingFitsAndSaysWhatIsInTheWay(t *testing.T) {
	status, stdout, stderr := suite(t, "choose", "--priority", "yes", "--speed", "user")
	assert.Equal(t, 1, status)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "nothing here fits")
	assert.Contains(t, stdout, "with --priority no: ")
	assert.Contains(t, stdout, "with --speed kernel: POSIX message queue")
}

func TestChooseRefusesNonsense(t *testing.T) {
	for _, c := range [][2]string{
		{"--for lunch", `--for: "lunch" is none of transfer`},
		{"--size huge", "--size: "},
		{"--for meeting --priority yes", "--priority means nothing for --for meeting"},
		{"--between threads --crash notice", "--crash means nothing"},
		{"--for state --readers share", "--readers: "},
		{"--keep", "flag needs an argument"},
		{"extra", ""},
	} {
		status, stdout, stderr := suite(t, append([]string{"choose"}, strings.Fields(c[0])...)...)
		assert.Equal(t, 2, status, c[0])
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, c[1])
	}
	status, _, stderr := suite(t, "choose", "--for", "call", "--results", "/nonexistent/results.json")
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "/nonexistent/results.json")
}

// answer plays somebody at the questions.
func answer(t *testing.T, lines string) (status int, stdout, stderr string) {
	t.Helper()
	program, err := built()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program, "choose")
	cmd.Stdin = strings.NewReader(lines)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the status says it
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestChooseAsksWhatMattersAfterTheAnswersSoFar(t *testing.T) {
	status, stdout, _ := answer(t, "meeting\nrelated\nnotice\n")
	assert.Zero(t, status)
	assert.NotContains(t, stdout, "How large is one message")
	assert.Contains(t, stdout, "use         barrier of System V semaphores\n")

	status, stdout, _ = answer(t, strings.Repeat("\n", len(mechanism.Questions)))
	assert.Zero(t, status, "empty lines are the first answers")
	assert.Contains(t, stdout, "use         pipe\n")

	status, stdout, _ = answer(t, "5\n2\n9\nwhat?\n2\n\n")
	assert.Zero(t, status, "numbers do")
	assert.Contains(t, stdout, `"what?" is none of any, survive, notice`)
	assert.Contains(t, stdout, "use         System V semaphore with SEM_UNDO\n")
}

func TestChooseThatIsLeftInTheMiddleSaysSo(t *testing.T) {
	for _, lines := range []string{"", "transfer\n", "transfer\nrelated\nyes"} {
		status, stdout, stderr := answer(t, lines)
		assert.Equal(t, 1, status)
		assert.NotContains(t, stdout, "use  ")
		assert.Contains(t, stderr, "the answers ended before the questions")
	}
}
