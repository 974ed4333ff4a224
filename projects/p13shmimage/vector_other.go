//go:build !amd64

package p13shmimage

func noVector() {}
