package p05sysvmq

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/script"
)

// The tests take their parent for a living client, whose pid is the type of its responses.
// As a container's first process it would have the type of requests: then they have another.
func TestMain(m *testing.M) {
	if os.Getppid() != RequestType {
		os.Exit(ipctest.Main(m))
	}
	again := exec.Command("/proc/self/exe", os.Args[1:]...)
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := again.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		panic(err)
	}
	os.Exit(again.ProcessState.ExitCode())
}

func TestScripts(t *testing.T) { script.Test(t, "p05sysvmq") }
