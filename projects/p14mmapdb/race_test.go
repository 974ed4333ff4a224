//go:build race

package p14mmapdb

// The race detector makes images slow to look at, and there is nothing of them that it would see.
func init() { imagesWanted = 1_000 }
