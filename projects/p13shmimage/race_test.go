//go:build race

package p13shmimage

// largeSide is small with the race detector, under which decoding takes many times longer.
const largeSide = 2048

// programBytes is what a program takes without a picture: the detector keeps much.
const programBytes = 1 << 30
