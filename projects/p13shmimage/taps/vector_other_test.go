//go:build !amd64

package taps

const hasVector = false

func setVector(bool) {}
