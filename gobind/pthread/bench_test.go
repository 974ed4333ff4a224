package pthread_test

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
)

func BenchmarkRobustMutex(b *testing.B) {
	m := newMutex(b, pthread.MutexAttr{Robust: true, Shared: true})
	word := new(int64)
	to, from := make([]byte, 64), make([]byte, 64)
	for name, op := range map[string]func(){
		"pair":  func() { _ = m.Lock(); _ = m.Unlock() },
		"add":   func() { _, _ = m.Add(word, 1) },
		"load":  func() { _, _ = m.Load(word) },
		"store": func() { _ = m.Store(word, 1) },
		"copy":  func() { _ = m.Copy(to, from) },
	} {
		b.Run(name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var s, e unix.Timespec
			unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &s)
			for b.Loop() {
				op()
			}
			unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &e)
			b.ReportMetric(float64(e.Nano()-s.Nano())/float64(b.N), "cpu-ns/op")
		})
	}
}
