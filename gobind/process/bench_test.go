package process_test

import (
	"os/exec"
	"testing"

	"unpipc/gobind/process"
)

// From before the fork until the program has been waited for.
func BenchmarkStart(b *testing.B) {
	b.Run("process", func(b *testing.B) {
		for b.Loop() {
			p, err := process.Start(&process.Cmd{Args: []string{"/bin/true"}, Files: []int{0, 1, 2}})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := p.Wait(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("os_exec", func(b *testing.B) {
		for b.Loop() {
			if err := exec.Command("/bin/true").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkStartOfNothing(b *testing.B) {
	for b.Loop() {
		if _, err := process.Start(&process.Cmd{Args: []string{"/no/such/program"}}); err == nil {
			b.Fatal("started")
		}
	}
}
