package p13shmimage

import "unpipc/projects/p13shmimage/taps"

func noVector() { taps.Vector = false }
