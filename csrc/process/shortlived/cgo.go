// Package shortlived holds the C behind [unpipc/gobind/process/shortlived].
package shortlived

/*
#cgo CFLAGS: -std=c11 -D_GNU_SOURCE
*/
import "C"
