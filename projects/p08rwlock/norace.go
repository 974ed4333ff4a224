//go:build !race

package p08rwlock

func (l *FutexRWLock) taken()  {}
func (l *FutexRWLock) giving() {}
