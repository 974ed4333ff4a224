//go:build !amd64 && !arm64

package ticks

import "time"

var start = time.Now()

// Now is the counter.
func Now() uint64 { return uint64(time.Since(start)) }
