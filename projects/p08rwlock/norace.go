//go:build !race

package p08rwlock

const race = false

func (l *FutexRWLock) taken()  {}
func (l *FutexRWLock) giving() {}
