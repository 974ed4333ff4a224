// Package counter has a C function for the tests of [unpipc/gobind/pthread], which may
// hold no C themselves.
package counter

/*
#include <stdint.h>
static void up(void *word) { ++*(int64_t *)word; }
static void (*function(void))(void *) { return up; }
*/
import "C"

import "unsafe"

// Up is a C function that adds 1 to the int64_t its argument points to.
var Up = unsafe.Pointer(C.function())
