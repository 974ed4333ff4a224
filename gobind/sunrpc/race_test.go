//go:build race

package sunrpc_test

const raceDetector = true
