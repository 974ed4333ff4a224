package script

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/alive"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func playOf(t *testing.T, lines string, toFailure bool) *Transcript {
	t.Helper()
	scripts := fstest.MapFS{"testdata/s.txtar": {Data: []byte(lines)}}
	f := Play
	if toFailure {
		f = PlayToFailure
	}
	tr, err := f(scripts, "testdata/s.txtar", t.TempDir())
	require.NoError(t, err)
	return tr
}

func TestAPlayGoesOnAfterAFailureUnlessItIsToEnd(t *testing.T) {
	const lines = "exec true\n# One\nexec echo 1\n# Two\nexec false\n# Three\nexec true\n"
	tr := playOf(t, lines, false)
	require.Len(t, tr.Sections, 4)
	assert.Equal(t, "One", tr.Sections[1].Title)
	assert.Equal(t, "1\n", Printed(tr.Sections[1].Steps[0].Output))
	for i, ok := range []bool{true, true, false, true} {
		assert.Equal(t, ok, tr.Sections[i].OK(), i)
	}
	assert.False(t, tr.OK())

	tr = playOf(t, lines, true)
	require.Len(t, tr.Sections, 3)
	assert.False(t, tr.Sections[2].OK())
}

func TestWhatFailsBeforeTheFirstSectionIsNotOverlooked(t *testing.T) {
	tr := playOf(t, "exec false\n# One\nexec true\n", false)
	require.Len(t, tr.Sections, 2)
	assert.Empty(t, tr.Sections[0].Title)
	assert.False(t, tr.Sections[0].OK())
	var out bytes.Buffer
	tr.Session(&out)
	assert.Contains(t, out.String(), "FAILED: exec false")
}

func TestNothingThatAScriptStartedOrMadeIsLeft(t *testing.T) {
	tr := playOf(t, `# It leaves a process, a queue, and memory
exec sh -c 'sleep 1000 >/dev/null 2>&1 & echo $!'
exec sh -c 'echo something >/dev/shm/left-$UNIQUE; ls /dev/shm/left-$UNIQUE'
exec perl -e 'defined msgget(hex $ENV{SYSV_KEY}, 01600) or die; print $ENV{SYSV_KEY}'
`, false)
	require.True(t, tr.OK(), "%+v", tr)
	steps := tr.Sections[0].Steps
	printed := func(i int) string { return strings.TrimSpace(Printed(steps[i].Output)) }
	pid, err := strconv.Atoi(printed(0))
	require.NoError(t, err)
	ipctest.Eventually(t, func() bool { _, ok := alive.Started(pid); return !ok }, "the process is gone")
	assert.NoFileExists(t, printed(1))
	out, err := exec.Command("ipcs", "-q").Output()
	require.NoError(t, err)
	assert.NotContains(t, string(out), printed(2))
}

func TestABackgroundCommandThatIgnoresSignalsIsNotWaitedForAfterAFailure(t *testing.T) {
	tr := playOf(t, `# It fails
! exec sh -c 'trap "" INT TERM; echo >up; while :; do sleep 1000; done' &deaf&
waitfor up
exec false
`, true)
	assert.False(t, tr.OK())
}

func TestASessionIsWhatOneWouldType(t *testing.T) {
	tr := parse(`WORK=/somewhere
UNIQUE=12-3
SYSV_KEY=0x00000001

> env QUEUE=/queue.$UNIQUE
> ports PORT
PORT=4711
# The server (0.100s)
> exec server --queue $QUEUE --port $PORT &one&
> until test -e up
> ! exec sh -c 'exec client --key $SYSV_KEY | grep "$1"' &two&
> signal TERM sh
> kill -KILL one
> wait one
[background] server: signal: killed
[stdout]
goodbye
> exec test -e up
> stdout goodbye
PASS
`)
	var out bytes.Buffer
	tr.Session(&out)
	assert.Equal(t, `# The server
$ server --queue /queue.12-3 --port 4711 &
$ client --key 0x00000001 | grep "$1" &
$ kill -TERM %client
$ kill -KILL %server
goodbye
`, out.String())
}
