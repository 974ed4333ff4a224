package p04posixmq

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPrograms(t *testing.T) {
	folders := build(t)
	t.Run("no wake-up is lost", func(t *testing.T) { testNoWakeUpIsLost(t, folders) })
	t.Run("killed at any time", func(t *testing.T) { testKilledAtAnyTime(t, folders) })
	t.Run("interrupted jobs never run beside themselves", func(t *testing.T) { testInterruptedJobsNeverOverlap(t, folders) })
	t.Run("a submitter killed at every step", func(t *testing.T) { testSubmitterKilledAtEveryStep(t, folders) })
	t.Run("a dispatcher killed at every step", func(t *testing.T) { testDispatcherKilledAtEveryStep(t, folders) })
	t.Run("both languages have the same help", func(t *testing.T) {
		for _, program := range []string{"job_dispatcher", "submit_job"} {
			fromGo, err := exec.Command(filepath.Join(folders["Go"], program), "--help").Output()
			require.NoError(t, err)
			fromC, err := exec.Command(filepath.Join(folders["C"], program), "--help").Output()
			require.NoError(t, err)
			assert.Equal(t, string(fromGo), string(fromC))
		}
	})
	for language, bin := range folders {
		for _, c := range []struct {
			name string
			run  func(r *rig)
		}{
			{"only its user can reach what gets executed", testModes},
			{"what others can reach is refused", testRefusals},
			{"the attributes of the queue, and which limit refuses them", testAttributes},
			{"messages of other programs", testForeignMessages},
			{"a job that was taken before its message came runs once", testEarlyJob},
			{"a job whose submitter gave up does not run", testWithdrawnJob},
			{"a job that is taken while its submitter waits for room is queued", testTakenWhileWaiting},
			{"somebody else is registered", testBusy},
			{"a full dispatcher leaves messages in the queue", testBackPressure},
			{"a message that comes before it has registered again is not missed", testLateRegistration},
			{"a job in the queue behind others ages, too", testAgingInTheQueue},
			{"an urgent job passes those that the dispatcher has taken", testUrgentJobPasses},
			{"the first signal waits for the jobs, the second kills them", testSignals},
			{"a dispatcher killed while it drains has not drained", testShutdownOfTheKilled},
			{"a closed standard output is an error, and no job is lost", testClosedOutput},
			{"a job that cannot be started has a result, too", testUnstartable},
			{"output without end of line", testOutput},
			{"a long log is set aside", testLongLog},
		} {
			t.Run(language+": "+c.name, func(t *testing.T) { c.run(newRig(t, bin)) })
		}
	}
}
