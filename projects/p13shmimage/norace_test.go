//go:build !race

package p13shmimage

// largeSide is the size of the largest picture that is tried.
const largeSide = 16384

// programBytes is what a program takes without a picture.
const programBytes = 64 << 20
