//go:build !amd64

package tcb

import "unsafe"

// Known says that this package knows the block of this processor. If not, nothing else of it is
// to be called.
const Known = false

const unknown = "tcb: the thread's block is not known on this processor"

func Word(uintptr) int32                               { panic(unknown) }
func Has(uintptr, *int32) bool                         { panic(unknown) }
func TakeOwned(unsafe.Pointer, uintptr) bool           { panic(unknown) }
func GiveOwned(unsafe.Pointer, uintptr) bool           { panic(unknown) }
func TakeRobust(unsafe.Pointer, uintptr, uintptr) bool { panic(unknown) }
func GiveRobust(unsafe.Pointer, uintptr, uintptr) bool { panic(unknown) }
